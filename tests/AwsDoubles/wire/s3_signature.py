"""Signature Version 4 as S3 wants it: the path as it was sent, a digest that may say `unsigned` or `streamed`."""

import hashlib
import hmac
from urllib.parse import quote

from . import chunks
from .errors import AwsError


def signature_of(request, arguments, names, digest, secret, scope, stamp):
    query = "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in arguments)
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in names)
    canonical = "\n".join([request.method, request.path, query, headers, ";".join(names), digest])
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    return hmac.new(chunks.signing_key(secret, scope), text.encode(), hashlib.sha256).hexdigest()


def check(request, names, given, secret, scope, stamp):
    digest = request.headers.get("x-amz-content-sha256")
    if digest is None:
        raise AwsError("MissingSecurityHeader", "Your request was missing the header x-amz-content-sha256.", 400)
    right = signature_of(request, sorted(request.arguments()), names, digest, secret, scope, stamp)
    if not hmac.compare_digest(right, given):
        raise AwsError("SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method.", 403)
    if digest in chunks.STREAMED:
        chunks.unwrap(request, secret, scope, stamp, given)
    elif digest != "UNSIGNED-PAYLOAD" and digest != hashlib.sha256(request.body).hexdigest():
        raise AwsError("XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.", 400)
    chunks.check_sums(request)
