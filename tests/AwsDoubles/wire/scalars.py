"""Single values as the protocols write them."""

import base64
from datetime import datetime, timezone
from email.utils import format_datetime, parsedate_to_datetime


class Unreadable(ValueError):
    """A value that is not of the type that its shape says."""


def read_text(text, shape):
    """A value of a header, a path, a query, a form or an element of XML."""
    kind = shape.type_name
    try:
        if kind in ("integer", "long"):
            return int(text)
        if kind in ("float", "double"):
            return float(text)
        if kind == "boolean":
            return {"true": True, "false": False}[text.lower()]
        if kind == "timestamp":
            return read_time(text)
        if kind == "blob":
            return base64.b64decode(text, validate=True)
    except (ValueError, KeyError) as error:
        raise Unreadable(f"{text!r} is no {kind}") from error
    return text


def read_time(value):
    if isinstance(value, (int, float)):
        return datetime.fromtimestamp(value, timezone.utc)
    for read in (lambda: datetime.fromtimestamp(float(value), timezone.utc), lambda: datetime.fromisoformat(value.replace("Z", "+00:00")), lambda: parsedate_to_datetime(value)):
        try:
            return read()
        except (ValueError, TypeError):
            continue
    raise Unreadable(f"{value!r} is no timestamp")


def write_text(value, shape, time_format="iso8601"):
    kind = shape.type_name
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "timestamp":
        return str(write_time(value, shape.serialization.get("timestampFormat", time_format)))
    if kind == "blob":
        return base64.b64encode(value).decode()
    return str(value)


def write_time(value, time_format):
    """Seconds since 1970 in the form that the protocol wants; the doubles keep times as seconds."""
    moment = datetime.fromtimestamp(value, timezone.utc)
    if time_format == "unixTimestamp":
        return round(value, 3)
    if time_format == "rfc822":
        return format_datetime(moment.replace(microsecond=0), usegmt=True)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
