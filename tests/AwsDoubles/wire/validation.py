"""What the official model demands of a request: botocore's validator, and what that leaves out."""

import re
from functools import lru_cache

from botocore.validate import ParamValidator



def violations(parameters, shape):
    if shape is None:
        return []
    report = ParamValidator().validate(parameters, shape)
    problems = [line for line in report.generate_report().split("\n") if line]
    constrain(parameters, shape, "", problems)
    return problems


@lru_cache(maxsize=None)
def pattern(text):
    try:
        return re.compile(text)
    except re.error:
        return None  # a test names the few patterns of Java's that Python can't read


def constrain(value, shape, path, problems):
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        for name, inner in value.items():
            if name in shape.members:
                constrain(inner, shape.members[name], f"{path}.{name}".lstrip("."), problems)
    elif kind == "list" and isinstance(value, list):
        bound(len(value), shape, path, "length", problems)
        for index, inner in enumerate(value):
            constrain(inner, shape.member, f"{path}[{index}]", problems)
    elif kind == "map" and isinstance(value, dict):
        bound(len(value), shape, path, "length", problems)
        for name, inner in value.items():
            constrain(name, shape.key, f"{path} key", problems)
            constrain(inner, shape.value, f"{path}.{name}", problems)
    elif kind == "string" and isinstance(value, str):
        bound(len(value), shape, path, "length", problems)
        if shape.enum and value not in shape.enum:
            problems.append(f"Value '{value}' at '{path}' failed to satisfy constraint: Member must satisfy enum value set: [{', '.join(shape.enum)}]")
        allowed = shape.metadata.get("pattern") and pattern(shape.metadata["pattern"])
        if allowed and not allowed.fullmatch(value):
            problems.append(f"Value '{value}' at '{path}' failed to satisfy constraint: Member must satisfy regular expression pattern: {shape.metadata['pattern']}")
    elif kind == "blob" and isinstance(value, (bytes, bytearray)):
        bound(len(value), shape, path, "length", problems)
    elif kind in ("integer", "long", "float", "double") and isinstance(value, (int, float)):
        bound(value, shape, path, "value", problems)


def bound(size, shape, path, what, problems):
    """The upper bound; botocore's validator has seen to the lower one."""
    most = shape.metadata.get("max")
    if most is not None and size > most:
        problems.append(f"Value at '{path}' failed to satisfy constraint: Member must have {what} less than or equal to {most}")
