"""HTTP/1.1 on loopback, a thread per connection."""

import select
import socket
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import admin
from wire.http import Reply, Request


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Server:
    def __init__(self, world, port=0):
        self.http = Listener(("127.0.0.1", port), type("Bound", (Handler,), {"world": world}))
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"

    def start(self):
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def stop(self):
        self.http.shutdown()
        self.http.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    world = None

    def answer(self):
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, path, query, headers, self.body(headers))
        try:
            if path == "/_double/reset":
                type(self).world = self.world.fresh()  # who still waits in the old one ends there
            reply = self.reply(request)
        except Exception:  # a bug of the double: say so loudly, the test must not take it for AWS
            self.world.bugs.append(traceback.format_exc())
            reply = Reply(599, {"Content-Type": "text/plain"}, traceback.format_exc().encode())
        if reply.delay:
            time.sleep(reply.delay)
        if reply.ending != "send":
            self.end_without_reply(wait=reply.ending == "timeout")
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if "Content-Length" not in reply.headers:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)
        self.wfile.flush()

    def reply(self, request):
        if request.path.startswith("/_double/"):
            return admin.handle(self.world, request)
        if request.path.startswith("/_edge/"):
            _, _, distribution, path = request.path.split("/", 3)
            return self.world.view(distribution, Request(request.method, "/" + path, request.query, request.headers, request.body))
        return self.world.handle(request)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = answer

    def handle_expect_100(self):
        super().handle_expect_100()
        self.wfile.flush()  # the client waits for it before it sends the body
        return True

    def body(self, headers):
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(headers.get("content-length") or 0))
        result = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            result += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return result

    def end_without_reply(self, wait):
        self.close_connection = True
        while wait:
            ready, _, _ = select.select([self.connection], [], [], 60)
            wait = not ready or bool(self.connection.recv(1 << 16, socket.MSG_PEEK)) and not time.sleep(0.05)
        self.connection.shutdown(socket.SHUT_RDWR)

    def handle(self):
        try:
            super().handle()
        except OSError:
            pass  # the client has gone: that is what the tests are about

    def log_message(self, *_):
        pass
