"""Each test has an account of its own, on one server, and real clients: botocore and the `aws` command line."""

import atexit
import json
import os
import subprocess
import sys
import unittest
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
for name in [n for n in os.environ if n.startswith("AWS_")]:
    del os.environ[name]
os.environ.update(AWS_EC2_METADATA_DISABLED="true", AWS_PAGER="", AWS_CONFIG_FILE="/nonexistent", AWS_SHARED_CREDENTIALS_FILE="/nonexistent", AWS_DEFAULT_REGION="eu-central-1")

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from server import Server
from world import World

KEYS = {"AKIDORCHESTRATOR": ("orchestrator-secret", "ota-orchestrator"), "AKIDSOMEBODY": ("somebody-secret", "somebody")}
SESSION = botocore.session.get_session()
SERVER = Server(World(KEYS))
SERVER.start()
CLIENTS = {}


def client(service, key="AKIDORCHESTRATOR", secret=None, timeout=20):
    """A botocore client that says each thing once."""
    known = (service, key, secret, timeout)
    if known not in CLIENTS:
        config = Config(retries={"max_attempts": 0}, read_timeout=timeout, parameter_validation=False, connect_timeout=5)
        secret = secret or KEYS[key][0]
        CLIENTS[known] = SESSION.create_client(service, "eu-central-1", endpoint_url=SERVER.url, aws_access_key_id=key, aws_secret_access_key=secret, config=config)
    return CLIENTS[known]


class DoubleTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.world = World(KEYS)
        SERVER.http.RequestHandlerClass.world = self.world

    def tearDown(self):
        self.assertEqual([], self.world.bugs)

    def fails(self, code, status, call, **parameters):
        """The error that a real client makes of the double's reply, and nothing changed by it."""
        before = self.world.snapshot(history=False)
        with self.assertRaises(ClientError) as caught:
            call(**parameters)
        reply = caught.exception.response
        self.assertEqual((code, status), (reply["Error"]["Code"], reply["ResponseMetadata"]["HTTPStatusCode"]), reply["Error"])
        self.assertTrue(reply["Error"]["Message"])
        self.assertEqual(before, self.world.snapshot(history=False))
        return reply

    def violates(self, what, call, **parameters):
        with self.assertRaises(ClientError) as caught:
            call(**parameters)
        self.assertEqual(400, caught.exception.response["ResponseMetadata"]["HTTPStatusCode"])
        self.assertIn(what, "\n".join(self.admin("GET", "violations")[-1]["problems"]))

    def admin(self, method, path, body=None):
        request = urllib.request.Request(f"{SERVER.url}/_double/{path}", method=method, data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=20) as reply:
            return json.load(reply)

    def aws(self, *arguments, key="AKIDORCHESTRATOR"):
        """The `aws` command line: (exit code, what it printed)."""
        answer = command_line({"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": KEYS[key][0], "AWS_MAX_ATTEMPTS": "1"}, [*arguments, "--endpoint-url", SERVER.url, "--output", "json"])
        if answer["code"] != 0:
            return answer["code"], answer["err"]
        return 0, json.loads(answer["out"]) if answer["out"].strip() else None

    def commands(self, service, *rows):
        """A row of commands of which each must do; what each printed."""
        printed = []
        for row in rows:
            code, out = self.aws(service, *row)
            self.assertEqual(0, code, f"aws {service} {' '.join(row)}: {out}")
            printed.append(out)
        self.assertEqual([], self.admin("GET", "violations"))
        return printed


PROCESSES = []


def command_line(environment, arguments):
    if not PROCESSES:
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "command_line.py")
        PROCESSES.append(subprocess.Popen(["/usr/bin/python3", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        atexit.register(PROCESSES[0].stdin.close)
    PROCESSES[0].stdin.write(json.dumps({"environment": environment, "arguments": arguments}) + "\n")
    PROCESSES[0].stdin.flush()
    return json.loads(PROCESSES[0].stdout.readline())
