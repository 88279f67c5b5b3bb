"""Which operation a method and a path mean, for the two REST protocols."""

import re
from urllib.parse import unquote

from .models import MODELS

LABEL = re.compile(r"\{(\w+)(\+?)\}")


def compiled(operation):
    path, _, query = operation.http["requestUri"].partition("?")
    pattern, at = "", 0
    for label in LABEL.finditer(path):
        pattern += re.escape(path[at:label.start()]) + f"(?P<{label[1]}>{'.+' if label[2] else '[^/]+'})"
        at = label.end()
    pattern += re.escape(path[at:])
    constants = [part.partition("=")[::2] for part in query.split("&") if part]
    asked = {} if operation.input_shape is None else operation.input_shape.members
    needed = [(asked[name].serialization["name"], "") for name in (operation.input_shape.required_members if asked else []) if asked[name].serialization.get("location") == "querystring"]
    weight = (len(LABEL.sub("", path)), len(constants) + len(needed))
    return weight, operation.http["method"], re.compile(pattern + "/?"), constants, needed, operation


# S3 tells many operations apart by what lies in headers; the double knows these.
ONLY = {"s3": {"CreateBucket", "HeadBucket", "PutBucketVersioning", "GetBucketVersioning", "PutObject", "GetObject", "HeadObject", "DeleteObject", "ListObjectsV2",
               "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "AbortMultipartUpload", "ListParts", "ListMultipartUploads",
               "PutObjectLockConfiguration", "GetObjectLockConfiguration", "PutPublicAccessBlock", "GetPublicAccessBlock", "DeletePublicAccessBlock"}}


def table(service, model):
    rows = [compiled(model.operation_model(name)) for name in model.operation_names if name in ONLY.get(service, model.operation_names)]
    return sorted(rows, key=lambda row: row[0], reverse=True)


TABLES = {}


def find(service, request):
    """The operation and its path's labels, the most literal path first; None if the service knows no such path."""
    arguments = request.arguments()
    if service not in TABLES:
        TABLES[service] = table(service, MODELS[service])
    for _, method, pattern, constants, needed, operation in TABLES[service]:
        match = pattern.fullmatch(request.path) if method == request.method else None
        if match and all(any(k == name and (not value or v == value) for k, v in arguments) for name, value in constants + needed):
            return operation, {name: unquote(value) for name, value in match.groupdict().items()}, {name for name, _ in constants}
    return None
