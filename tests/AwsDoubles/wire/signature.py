"""Who sent a request: Signature Version 4, computed again with botocore and compared."""

import hashlib
import hmac
import re
from datetime import datetime, timedelta, timezone

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from . import presigned, s3_signature
from .errors import QUERY, AwsError
from .models import SERVICES

AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256 Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})")
CONTROL = "/v20180820/"  # what S3's control plane begins its paths with; its requests are signed as S3's
SKEW = timedelta(minutes=5)


class Again(SigV4Auth):
    """Signs the headers that the client says it has signed, no others."""

    def __init__(self, credentials, service, region, names):
        super().__init__(credentials, service, region)
        self.names = names

    def headers_to_sign(self, request):
        chosen = super().headers_to_sign(request)
        for name in list(chosen.keys()):
            del chosen[name]
        for name in self.names:
            chosen[name] = request.headers[name]
        return chosen


def scope_of(request):
    """(service folder, match of the header or None). An unsigned request names no service: its form does."""
    if presigned.is_presigned(request):
        return "s3", None
    match = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if match:
        parts = match[1].split("/")
        if len(parts) == 5 and parts[3] in SERVICES:
            return "s3control" if parts[3] == "s3" and request.path.startswith(CONTROL) else SERVICES[parts[3]], match
    target = request.headers.get("x-amz-target", "")
    if target:
        return ("cloudtrail" if "CloudTrail" in target else "codedeploy"), match
    if request.path.startswith("/2020-05-31/"):
        return "cloudfront", match
    if "form-urlencoded" in request.headers.get("content-type", ""):
        return "cloudwatch", match
    return ("lambda" if "/functions" in request.path else "apigateway"), match


def verify(request, service, match, keys, now):
    """The user's name and access key; raises AWS's own error for what is unsigned, wrong, or of another time."""
    if service == "s3" and presigned.is_presigned(request):
        return presigned.verify(request, keys, now)
    xml = service in ("cloudfront", "s3", "s3control", *QUERY)
    if not request.headers.get("authorization"):
        raise AwsError("MissingAuthenticationToken" if xml else "MissingAuthenticationTokenException", "Missing Authentication Token", 403)
    if not match:
        raise AwsError("IncompleteSignature" if xml else "IncompleteSignatureException", "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters.", 400)
    wrong = "SignatureDoesNotMatch" if xml else "InvalidSignatureException"
    access_key, date, region, name, end = (match[1].split("/") + [""] * 5)[:5]
    if SERVICES.get(name) != ("s3" if service == "s3control" else service) or end != "aws4_request":
        raise AwsError(wrong, "Credential should be scoped to a correct service.", 403)
    if access_key not in keys:
        raise AwsError("InvalidAccessKeyId" if service in ("s3", "s3control") else "InvalidClientTokenId" if xml else "UnrecognizedClientException", "The security token included in the request is invalid.", 403)
    secret, user = keys[access_key]
    stamp = request.headers.get("x-amz-date", "")
    try:
        moment = datetime.strptime(stamp, SIGV4_TIMESTAMP).replace(tzinfo=timezone.utc)
    except ValueError:
        raise AwsError("IncompleteSignature" if xml else "IncompleteSignatureException", "X-Amz-Date is missing or not a date.", 400) from None
    at = datetime.fromtimestamp(now, timezone.utc)
    if moment < at - SKEW:
        raise AwsError(wrong, f"Signature expired: {stamp} is now earlier than {(at - SKEW).strftime(SIGV4_TIMESTAMP)}", 403)
    if moment > at + SKEW:
        raise AwsError(wrong, f"Signature not yet current: {stamp} is still later than {(at + SKEW).strftime(SIGV4_TIMESTAMP)}", 403)
    if not stamp.startswith(date):
        raise AwsError(wrong, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.", 403)
    names = match[2].split(";")
    if service == "s3" and signed_enough(request, names):
        s3_signature.check(request, names, match[3], secret, f"{date}/{region}/{name}/{end}", stamp)
        return user, access_key
    if not signed_enough(request, names) or not hmac.compare_digest(match[3], signature(request, access_key, secret, name, region, names, stamp)):
        raise AwsError(wrong, "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.", 403)
    return user, access_key


def signed_enough(request, names):
    """The host and each x-amz header must be signed, or a man in the middle may change them."""
    needed = {"host"} | {name for name in request.headers if name.startswith("x-amz-")}
    return needed <= set(names) and all(name in request.headers for name in names)


def signature(request, access_key, secret, name, region, names, stamp):
    digest = hashlib.sha256(request.body).hexdigest()
    if request.headers.get("x-amz-content-sha256", digest) != digest:
        return ""
    headers = {name: request.headers[name] for name in names}
    again = AWSRequest(request.method, f"http://{request.headers['host']}{request.path}", headers=headers, data=request.body, params=dict(request.arguments()))
    again.context["timestamp"] = stamp
    auth = Again(Credentials(access_key, secret), name, region, names)
    return auth.signature(auth.string_to_sign(again, auth.canonical_request(again)), again)
