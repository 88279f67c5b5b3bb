"""S3's streamed bodies: chunks that are each signed over the one before, and checksums behind them."""

import base64
import hashlib
import hmac
import zlib

from .errors import AwsError

STREAMED = ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
CHECKSUMS = {"x-amz-checksum-crc32": lambda body: zlib.crc32(body).to_bytes(4, "big"), "x-amz-checksum-sha256": lambda body: hashlib.sha256(body).digest(), "x-amz-checksum-sha1": lambda body: hashlib.sha1(body).digest()}


def unwrap(request, secret, scope, stamp, seed):
    """The body without its chunks; its headers as if the trailing ones had come first."""
    signed = request.headers["x-amz-content-sha256"] != STREAMED[2]
    body, at, previous = b"", 0, seed
    key = signing_key(secret, scope)
    while True:
        end = request.body.index(b"\r\n", at)
        size, _, extension = request.body[at:end].decode().partition(";chunk-signature=")
        data = request.body[end + 2:end + 2 + int(size, 16)]
        if signed:
            text = "\n".join(["AWS4-HMAC-SHA256-PAYLOAD", stamp, scope, previous, hashlib.sha256(b"").hexdigest(), hashlib.sha256(data).hexdigest()])
            previous = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
            if not hmac.compare_digest(previous, extension):
                raise AwsError("SignatureDoesNotMatch", "A chunk's signature does not match.", 403)
        if not data:
            trailer = request.body[end + 2:].decode()
            break
        body += data
        at = end + 2 + len(data) + 2
    for line in filter(None, trailer.split("\r\n")):
        name, _, value = line.partition(":")
        if name in request.headers.get("x-amz-trailer", ""):
            request.headers[name] = value.strip()
    if len(body) != int(request.headers.get("x-amz-decoded-content-length", len(body))):
        raise AwsError("IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header.", 400)
    request.body = body
    encodings = [part for part in request.headers.get("content-encoding", "").split(",") if part.strip() not in ("", "aws-chunked")]
    request.headers.pop("content-encoding", None)
    if encodings:
        request.headers["content-encoding"] = ",".join(encodings)


def signing_key(secret, scope):
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def check_sums(request):
    for name, compute in CHECKSUMS.items():
        if name in request.headers and request.method == "PUT" and base64.b64decode(request.headers[name]) != compute(request.body):
            raise AwsError("BadDigest", f"The {name} you specified did not match what we received.", 400)
    if "content-md5" in request.headers and base64.b64decode(request.headers["content-md5"]) != hashlib.md5(request.body).digest():
        raise AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.", 400)
