"""Links that were signed beforehand: S3's query authentication."""

import hmac
from datetime import datetime, timedelta, timezone
from urllib.parse import urlencode

from botocore.auth import SIGV4_TIMESTAMP

from .errors import AwsError
from .s3_signature import signature_of


def is_presigned(request):
    return "X-Amz-Signature=" in request.query


def verify(request, keys, now):
    """The user whose key made the link; the link's own parameters are taken out of the query."""
    arguments = dict(request.arguments())
    try:
        access_key, scope = arguments["X-Amz-Credential"].split("/", 1)
        moment = datetime.strptime(arguments["X-Amz-Date"], SIGV4_TIMESTAMP).replace(tzinfo=timezone.utc)
        lasts, names, given = int(arguments["X-Amz-Expires"]), arguments["X-Amz-SignedHeaders"].split(";"), arguments.pop("X-Amz-Signature")
    except (KeyError, ValueError):
        raise AwsError("AuthorizationQueryParametersError", "Query-string authentication requires Credential, Date, Expires, SignedHeaders and Signature.", 400) from None
    if access_key not in keys:
        raise AwsError("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403)
    if not 1 <= lasts <= 604800:
        raise AwsError("AuthorizationQueryParametersError", "X-Amz-Expires must be less than a week (in seconds).", 400)
    if datetime.fromtimestamp(now, timezone.utc) > moment + timedelta(seconds=lasts):
        raise AwsError("AccessDenied", "Request has expired", 403)
    secret, user = keys[access_key]
    right = signature_of(request, sorted(arguments.items()), names, "UNSIGNED-PAYLOAD", secret, scope, arguments["X-Amz-Date"])
    if not hmac.compare_digest(right, given):
        raise AwsError("SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.", 403)
    request.query = urlencode([(k, v) for k, v in arguments.items() if not k.startswith("X-Amz-")])
    return user, access_key
