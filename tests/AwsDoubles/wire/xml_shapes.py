"""XML bodies by their shapes: rest-xml, and the replies of query."""

from xml.etree import ElementTree as Tree

from .scalars import Unreadable, read_text, write_text


def local(tag):
    return tag.rpartition("}")[2]


def parse(body, problems):
    try:
        return Tree.fromstring(body)
    except Tree.ParseError as error:
        problems.append(f"the body is not XML: {error}")
        return None


def read(element, shape, path, problems):
    if shape.type_name == "structure":
        return read_structure(element, shape, path, problems)
    if shape.type_name == "list":
        return read_list(list(element), shape, path, problems)
    if shape.type_name == "map":
        raise NotImplementedError("no operation here takes a map in XML")
    try:
        return read_text(element.text or "", shape)
    except Unreadable as error:
        problems.append(f"{path}: {error}")
        return element.text


def read_list(elements, shape, path, problems):
    name = shape.member.serialization.get("name", "member")
    for other in [local(e.tag) for e in elements if not shape.serialization.get("flattened") and local(e.tag) != name]:
        problems.append(f"{path}.{other}: the model calls it {name}")
    return [read(e, shape.member, f"{path}[{index}]", problems) for index, e in enumerate(elements)]


def read_structure(element, shape, path, problems):
    result, known = {}, set()
    for name, member in shape.members.items():
        if "location" in member.serialization:
            continue
        tag = member.serialization.get("name", name)
        if member.serialization.get("xmlAttribute"):
            tag = tag.partition(":")[2] or tag
            value = next((v for k, v in element.attrib.items() if local(k) == tag), None)
            if value is not None:
                result[name] = read_text(value, member)
            continue
        flattened = member.type_name == "list" and member.serialization.get("flattened")
        if flattened:
            tag = member.member.serialization.get("name", tag)
        known.add(tag)
        found = [child for child in element if local(child.tag) == tag]
        if flattened and found:
            result[name] = read_list(found, member, f"{path}.{name}", problems)
        elif len(found) > 1:
            problems.append(f"{path}.{name} stands {len(found)} times")
        elif found:
            result[name] = read(found[0], member, f"{path}.{name}", problems)
    problems.extend(f"{path}.{local(child.tag)}: the model has no such member" for child in element if local(child.tag) not in known)
    return result


def write_into(parent, value, shape, tag):
    """Adds `value` to `parent` as what the model says that it looks like."""
    if shape.type_name == "list" and shape.serialization.get("flattened"):
        for item in value:
            write_into(parent, item, shape.member, shape.member.serialization.get("name", tag))
        return
    element = Tree.SubElement(parent, tag)
    if shape.type_name == "structure":
        write_members(element, value, shape)
    elif shape.type_name == "list":
        for item in value:
            write_into(element, item, shape.member, shape.member.serialization.get("name", "member"))
    elif shape.type_name == "map":
        for name, item in value.items():
            entry = Tree.SubElement(element, "entry")
            write_into(entry, name, shape.key, shape.key.serialization.get("name", "key"))
            write_into(entry, item, shape.value, shape.value.serialization.get("name", "value"))
    else:
        element.text = write_text(value, shape)


def write_members(element, value, shape):
    unknown = set(value) - set(shape.members)
    if unknown:
        raise TypeError(f"{shape.name} has no {sorted(unknown)}")
    for name, member in shape.members.items():
        if value.get(name) is None or "location" in member.serialization:
            continue
        if member.serialization.get("xmlAttribute"):
            prefix, _, attribute = member.serialization["name"].rpartition(":")
            uri = member.serialization.get("xmlNamespace", {}).get("uri") or shape.serialization.get("xmlNamespace", {}).get("uri", "")
            element.set(f"{{{uri}}}{attribute}" if prefix else attribute, write_text(value[name], member))
        else:
            write_into(element, value[name], member, member.serialization.get("name", name))


def document(root):
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + Tree.tostring(root)
