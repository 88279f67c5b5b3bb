"""The form of a request in the query protocol, by its shape."""

from .scalars import Unreadable, read_text


def read_form(fields, shape, problems):
    left = dict(fields)
    result = read_structure(left, shape, "", problems) if shape else {}
    problems.extend(f"{name}: the model has no such parameter" for name in left)
    return result


def under(fields, prefix):
    return any(name == prefix or name.startswith(prefix + ".") for name in fields)


def read(fields, shape, prefix, problems):
    if shape.type_name == "structure":
        return read_structure(fields, shape, prefix + ".", problems)
    if shape.type_name == "list":
        return read_list(fields, shape, prefix, problems)
    if shape.type_name == "map":
        return read_map(fields, shape, prefix, problems)
    text = fields.pop(prefix, None)
    try:
        return read_text(text, shape) if text is not None else None
    except Unreadable as error:
        problems.append(f"{prefix}: {error}")
        return text


def read_structure(fields, shape, prefix, problems):
    result = {}
    for name, member in shape.members.items():
        key = prefix + member.serialization.get("name", name)
        if under(fields, key):
            value = read(fields, member, key, problems)
            if value is not None:
                result[name] = value
    return result


def read_list(fields, shape, prefix, problems):
    if fields.pop(prefix, None) is not None:
        return []  # `Names=` alone is how the protocol says: an empty list
    item = prefix if shape.serialization.get("flattened") else f"{prefix}.{shape.member.serialization.get('name', 'member')}"
    result = []
    while under(fields, f"{item}.{len(result) + 1}"):
        result.append(read(fields, shape.member, f"{item}.{len(result) + 1}", problems))
    return result


def read_map(fields, shape, prefix, problems):
    entry = prefix if shape.serialization.get("flattened") else f"{prefix}.entry"
    key, value = (part.serialization.get("name", default) for part, default in ((shape.key, "key"), (shape.value, "value")))
    result, number = {}, 1
    while under(fields, f"{entry}.{number}"):
        result[read(fields, shape.key, f"{entry}.{number}.{key}", problems)] = read(fields, shape.value, f"{entry}.{number}.{value}", problems)
        number += 1
    return result
