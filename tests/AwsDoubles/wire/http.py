"""A request and a reply, without a socket."""

from dataclasses import dataclass, field
from urllib.parse import parse_qsl


@dataclass
class Request:
    method: str
    path: str  # as sent: still percent-encoded
    query: str
    headers: dict  # lower-case names
    body: bytes

    def arguments(self):
        return parse_qsl(self.query, keep_blank_values=True)


@dataclass
class Reply:
    status: int
    headers: dict = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0  # seconds before it is sent, outside of any lock
    ending: str = "send"  # or "lose": the connection is closed instead, or "timeout": nothing is said until the client gives up
