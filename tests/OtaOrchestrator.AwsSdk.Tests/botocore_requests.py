"""For each operation: parameters with every member set, and the request that botocore makes of them. Reads {service: [operations]}, writes a list."""
import base64
import datetime
import json
import sys

import botocore.loaders
import botocore.model
import botocore.serialize

# Not in every form: what has to be encoded is in it, and it stays one path segment.
TEXT = "a b/é+~&=<x>"
TIME = datetime.datetime(2026, 11, 23, 7, 7, 58, tzinfo=datetime.timezone.utc)


def value(shape, name, path):
    kind = shape.type_name
    if kind == "structure":
        return {key: value(member, key, path + [shape.name]) for key, member in shape.members.items() if path.count(member.name) < 1}
    if kind == "list":
        return [value(shape.member, name, path + [shape.name]), value(shape.member, name, path + [shape.name])]
    if kind == "map":
        return {"key one": value(shape.value, name, path + [shape.name])}
    if kind == "string":
        return shape.enum[0] if shape.enum else "123456789012" if name == "AccountId" else TEXT
    return {"integer": 7, "long": 70_000_000_000, "double": 0.5, "float": 0.5, "boolean": True, "timestamp": TIME, "blob": "grün".encode()}[kind]


def plain(item):
    if isinstance(item, bytes):
        return base64.b64encode(item).decode()
    if isinstance(item, datetime.datetime):
        return item.isoformat()
    if isinstance(item, dict):
        return {key: plain(inner) for key, inner in item.items()}
    return [plain(inner) for inner in item] if isinstance(item, list) else item


def text(body):
    return body if isinstance(body, (str, dict)) else body.decode() if body else ""


cases = []
loader = botocore.loaders.Loader()
for service, operations in json.load(sys.stdin).items():
    model = botocore.model.ServiceModel(loader.load_service_model(service, "service-2"), service)
    serializer = botocore.serialize.create_serializer(model.metadata["protocol"], include_validation=False)
    for name in operations:
        operation = model.operation_model(name)
        parameters = value(operation.input_shape, "", []) if operation.input_shape else {}
        request = serializer.serialize_to_request(parameters, operation)
        cases.append({
            "service": service,
            "operation": name,
            "parameters": plain(parameters),
            "method": request["method"],
            "path": request["url_path"],
            "query": {key: item if isinstance(item, list) else [item] for key, item in request["query_string"].items()} if isinstance(request["query_string"], dict) else {},
            "headers": dict(request["headers"]),
            "body": text(request["body"]),
        })
json.dump(cases, sys.stdout)
