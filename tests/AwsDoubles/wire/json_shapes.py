"""JSON bodies by their shapes: rest-json and AWS JSON 1.1."""

import base64
import json

from .scalars import Unreadable, read_time, write_time


def load(body, problems):
    if not body:
        return {}
    try:
        document = json.loads(body)
    except ValueError as error:
        problems.append(f"the body is not JSON: {error}")
        return {}
    if not isinstance(document, dict):
        problems.append("the body is not a JSON object")
        return {}
    return document


def read(value, shape, path, problems):
    kind = shape.type_name
    try:
        if kind == "structure" and isinstance(value, dict):
            return read_structure(value, shape, path, problems)
        if kind == "list" and isinstance(value, list):
            return [read(item, shape.member, f"{path}[{index}]", problems) for index, item in enumerate(value)]
        if kind == "map" and isinstance(value, dict):
            return {name: read(item, shape.value, f"{path}.{name}", problems) for name, item in value.items()}
        if kind == "timestamp":
            return read_time(value)
        if kind == "blob" and isinstance(value, str):
            return base64.b64decode(value, validate=True)
        if kind in ("float", "double") and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
    except (Unreadable, ValueError) as error:
        problems.append(f"{path}: {error}")
    return value  # what is of another type is the validator's to refuse


def read_structure(document, shape, path, problems):
    names = {member.serialization.get("name", name): name for name, member in shape.members.items() if "location" not in member.serialization}
    result = {}
    for key, value in document.items():
        if key not in names:
            problems.append(f"{path}.{key}: the model has no such member")
        elif value is not None:
            name = names[key]
            result[name] = read(value, shape.members[name], f"{path}.{name}", problems)
    return result


def write(value, shape):
    kind = shape.type_name
    if kind == "structure":
        return {shape.members[name].serialization.get("name", name): write(inner, shape.members[name]) for name, inner in value.items() if inner is not None}
    if kind == "list":
        return [write(item, shape.member) for item in value]
    if kind == "map":
        return {name: write(item, shape.value) for name, item in value.items()}
    if kind == "timestamp":
        return write_time(value, shape.serialization.get("timestampFormat", "unixTimestamp"))
    if kind == "blob":
        return base64.b64encode(value).decode()
    return value


def dump(value, shape):
    return json.dumps(write(value, shape), separators=(",", ":")).encode()
