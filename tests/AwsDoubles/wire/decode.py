"""From a request to an operation and its parameters, in each protocol, noting whatever the model does not know."""

from urllib.parse import parse_qsl

from . import json_shapes, query_shapes, routes, xml_shapes
from .errors import AwsError
from .models import MODELS
from .scalars import Unreadable, read_text


def decode(service, request):
    """(operation model, parameters, problems)"""
    model = MODELS[service]
    protocol = model.metadata["protocol"]
    if protocol == "json":
        return decode_json(model, request)
    if protocol == "query":
        return decode_query(model, request)
    return decode_rest(service, protocol, request)


def decode_json(model, request):
    prefix, _, name = request.headers.get("x-amz-target", "").rpartition(".")
    if prefix != model.metadata["targetPrefix"] or name not in model.operation_names or request.path != "/":
        raise AwsError("UnknownOperationException", f"There is no operation {name or '(none)'}.", 400)
    operation, problems = model.operation_model(name), []
    if not request.headers.get("content-type", "").startswith("application/x-amz-json-1."):
        problems.append("Content-Type is not application/x-amz-json-1.1")
    document = json_shapes.load(request.body, problems)
    shape = operation.input_shape
    return operation, json_shapes.read_structure(document, shape, "$", problems) if shape else {}, problems


def decode_query(model, request):
    form = request.arguments() + parse_qsl(request.body.decode(), keep_blank_values=True)
    fields = dict(form)
    name = fields.pop("Action", None)
    if name not in model.operation_names:
        raise AwsError("InvalidAction", f"Could not find operation {name} for version {fields.get('Version')}", 400)
    operation, problems = model.operation_model(name), []
    if fields.pop("Version", None) != model.metadata["apiVersion"]:
        problems.append("Version is not " + model.metadata["apiVersion"])
    if len(form) != len(dict(form)):
        problems.append("a parameter stands twice")
    return operation, query_shapes.read_form(fields, operation.input_shape, problems), problems


def decode_rest(service, protocol, request):
    found = routes.find(service, request)
    if not found:
        raise AwsError("UnknownOperationException", f"There is no operation for {request.method} {request.path}.", 404)
    operation, labels, constants = found
    problems, shape = [], operation.input_shape
    if shape is None:
        return operation, {}, problems
    parameters = located(shape, labels, constants, request, problems)
    payload = shape.serialization.get("payload")
    if payload:
        value = read_payload(protocol, request, shape.members[payload], payload, problems)
        if value is not None:
            parameters[payload] = value
    elif any("location" not in member.serialization for member in shape.members.values()):
        parameters.update(read_body(protocol, request, shape, problems))
    elif request.body not in (b"", b"{}"):
        problems.append("the operation takes no body")
    return operation, parameters, problems


def located(shape, labels, constants, request, problems):
    """What stands in the path, the query and the headers."""
    result, arguments, known = {}, request.arguments(), {*constants, "x-id"}  # newer clients of S3 name the operation there
    for name, member in shape.members.items():
        place, key = member.serialization.get("location"), member.serialization.get("name", name)
        values = []
        if place == "uri":
            values = [labels[key]] if key in labels else []
        elif place == "querystring" and member.type_name == "map":
            result[name] = {k: v for k, v in arguments if k not in known}
            known.update(result[name])
        elif place == "querystring":
            known.add(key)
            values = [v for k, v in arguments if k == key]
        elif place == "header":
            values = [request.headers[key.lower()]] if key.lower() in request.headers else []
        elif place == "headers":
            found = {k[len(key):]: v for k, v in request.headers.items() if k.startswith(key.lower())}
            result.update({name: found} if found else {})
        if not values:
            continue
        try:
            result[name] = [read_text(v, member.member) for v in values] if member.type_name == "list" else read_text(values[0], member)
        except Unreadable as error:
            problems.append(f"{name}: {error}")
            result[name] = values[0]
    problems.extend(f"{k}: the model has no such parameter in the query" for k, _ in arguments if k not in known)
    return result


def read_payload(protocol, request, shape, name, problems):
    if shape.type_name in ("blob", "string"):
        return (request.body if shape.type_name == "blob" else request.body.decode()) if request.body else None
    if not request.body:
        return None
    if protocol == "rest-json":
        return json_shapes.read(json_shapes.load(request.body, problems), shape, name, problems)
    root = xml_shapes.parse(request.body, problems)
    return read_root(root, shape, shape.serialization.get("name", name), name, problems)


def read_body(protocol, request, shape, problems):
    if protocol == "rest-json":
        return json_shapes.read_structure(json_shapes.load(request.body, problems), shape, "$", problems)
    if not request.body:
        return {}
    root = xml_shapes.parse(request.body, problems)
    return read_root(root, shape, shape.serialization.get("name", shape.name), "$", problems) or {}


def read_root(root, shape, tag, path, problems):
    if root is None:
        return None
    namespace = shape.serialization.get("xmlNamespace", {}).get("uri")
    expected = f"{{{namespace}}}{tag}" if namespace else tag
    if root.tag != expected:
        problems.append(f"the document's root is {root.tag}, not {expected}")
    return xml_shapes.read_structure(root, shape, path, problems)
