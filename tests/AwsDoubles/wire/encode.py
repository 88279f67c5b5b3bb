"""Replies and errors as the services send them."""

import json
import uuid
from xml.etree import ElementTree as Tree

from . import json_shapes, xml_shapes
from .http import Reply
from .models import MODELS
from .scalars import write_text

NAMESPACES = {"cloudfront": "http://cloudfront.amazonaws.com/doc/2020-05-31/", "s3": "http://s3.amazonaws.com/doc/2006-03-01/", "s3control": "http://awss3control.amazonaws.com/doc/2018-08-20/"}


def namespace(service):
    return NAMESPACES.get(service) or MODELS[service].metadata["xmlNamespace"]


def reply(service, operation, output):
    """`output` holds only what the model has: a double that answers with something else is a bug of its own."""
    protocol, request_id = MODELS[service].metadata["protocol"], str(uuid.uuid4())
    shape = operation.output_shape
    unknown = set(output) - set(shape.members if shape else ())
    if unknown:
        raise TypeError(f"{operation.name} has no {sorted(unknown)} in its reply")
    if protocol == "json":
        return Reply(200, {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": request_id}, json_shapes.dump(output, shape) if shape else b"{}")
    if protocol == "query":
        return Reply(200, {"Content-Type": "text/xml", "x-amzn-RequestId": request_id}, query_reply(service, operation, output, request_id))
    return rest_reply(service, protocol, operation, shape, dict(output), request_id)


def query_reply(service, operation, output, request_id):
    root = Tree.Element(operation.name + "Response", xmlns=namespace(service))
    shape = operation.output_shape
    if shape:
        xml_shapes.write_members(Tree.SubElement(root, shape.serialization.get("resultWrapper", operation.name + "Result")), output, shape)
    Tree.SubElement(Tree.SubElement(root, "ResponseMetadata"), "RequestId").text = request_id
    return xml_shapes.document(root)


def rest_reply(service, protocol, operation, shape, output, request_id):
    id_header = "x-amzn-RequestId" if protocol == "rest-json" else "x-amz-request-id"
    result = Reply(operation.http.get("responseCode", 200), {id_header: request_id})
    if not shape:
        return result
    for name, member in shape.members.items():
        value, place, key = output.get(name), member.serialization.get("location"), member.serialization.get("name", name)
        if place == "statusCode":
            result.status = output.get(name, result.status)
        elif value is not None and place == "header":
            result.headers[key] = write_text(value, member, "rfc822")
        elif value is not None and place == "headers":
            result.headers.update({key + k: v for k, v in value.items()})
    payload = shape.serialization.get("payload")
    member = shape.members[payload] if payload else None
    if member is not None and member.type_name in ("blob", "string"):
        value = output.get(payload) or b""
        result.body = value if isinstance(value, bytes) else value.encode()
        result.headers.setdefault("Content-Type", "application/json")
    elif protocol == "rest-json":
        if any("location" not in m.serialization for m in shape.members.values()):
            body = output.get(payload) if payload else {k: v for k, v in output.items() if "location" not in shape.members[k].serialization}
            result.body = json_shapes.dump(body, member if payload else shape)
            result.headers["Content-Type"] = "application/json"
    elif any("location" not in m.serialization for m in shape.members.values()):
        result.body = xml_body(namespace(service), output[payload] if payload else output, member if payload else shape, payload)
        result.headers["Content-Type"] = "text/xml"
    return result


def xml_body(space, value, shape, payload):
    root = Tree.Element(shape.serialization.get("name", payload or shape.name), xmlns=space)
    xml_shapes.write_members(root, value, shape)
    return xml_shapes.document(root)


def error(service, operation, failure):
    """An AwsError on the wire. Code and status come from the model where it has them."""
    model, request_id = MODELS[service], str(uuid.uuid4())
    protocol = model.metadata["protocol"]
    shape = model.shape_for(failure.code) if failure.code in model.shape_names else None  # an operation's own list of errors is not always complete
    declared = shape.metadata.get("error", {}) if shape else {}
    code = declared.get("code", failure.code)
    status = declared.get("httpStatusCode") or failure.status or 400
    if protocol in ("json", "rest-json"):
        return json_error(protocol, shape, code, status, failure, request_id)
    if service == "s3":
        return s3_error(operation, code, status, failure, request_id)
    root = Tree.Element("ErrorResponse", xmlns=namespace(service))
    inner = Tree.SubElement(root, "Error")
    for name, text in (("Type", "Sender" if status < 500 else "Receiver"), ("Code", code), ("Message", failure.message)):
        Tree.SubElement(inner, name).text = text
    Tree.SubElement(root, "RequestId").text = request_id
    return Reply(status, {"Content-Type": "text/xml", "x-amzn-RequestId": request_id}, xml_shapes.document(root))


def s3_error(operation, code, status, failure, request_id):
    """S3 wraps nothing, and says nothing to a HEAD."""
    root = Tree.Element("Error")
    for name, text in (("Code", code), ("Message", failure.message), ("RequestId", request_id)):
        Tree.SubElement(root, name).text = text
    body = b"" if operation and operation.http["method"] == "HEAD" else xml_shapes.document(root)
    return Reply(status, {"Content-Type": "application/xml", "x-amz-request-id": request_id}, body)


def json_error(protocol, shape, code, status, failure, request_id):
    headers = {"Content-Type": "application/x-amz-json-1.1" if protocol == "json" else "application/json", "x-amzn-RequestId": request_id}
    message = next((name for name in (shape.members if shape else ()) if name.lower() == "message"), "message")
    body = {message: failure.message}
    if protocol == "json":
        body["__type"] = code
    else:
        headers["x-amzn-ErrorType"] = code
        if shape is None or "Type" in shape.members:
            body["Type"] = "User" if status < 500 else "Service"
    for name, value in failure.members.items():
        member = shape.members.get(name) if shape else None
        if member is not None and member.serialization.get("location") == "header":
            headers[member.serialization.get("name", name)] = value
        elif member is not None:
            body[name] = value
    return Reply(status, headers, json.dumps(body).encode())
