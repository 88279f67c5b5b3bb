"""What all doubles have: plain state that can be copied, and a memory of how it was before the last write."""

import copy
import secrets
import string

ACCOUNT, REGION = "111122223333", "eu-central-1"
# What differs between two accounts that are alike: revisions, and when something happened.
VOLATILE = {
    "RevisionId", "etag", "etags", "pending", "LastModified", "LastModifiedTime", "createdDate", "lastUpdatedDate", "CreateTime", "createTime", "startTime", "completeTime", "endTime",
    "registerTime", "firstUsedTime", "lastUsedTime", "due", "at", "CreateDate", "RoleId", "createdAt", "analyzedAt", "updatedAt",
}
ALPHABET = string.ascii_uppercase + string.digits


class Service:
    name = ""
    source = ""  # CloudTrail's eventSource
    data_events = ()  # operations that CloudTrail does not tell of
    history = ()  # parts of the state that only grow
    now = 0.0  # of this call
    caller = None  # of this call
    forced = False  # this call is somebody else's, without preconditions

    def __init__(self, world):
        self.world, self.state, self.before = world, {}, None

    def past(self):
        return copy.deepcopy(self.state if self.before is None else self.before)

    def touch(self, operation, parameters):
        raise ValueError(f"{self.name} has nothing to touch for {operation}")

    def advance(self, now):
        pass

    def event_name(self, operation):
        return operation

    def resources(self, operation, parameters, output):
        """[(type, name)] as CloudTrail lists them."""
        return []

    def snapshot(self, history):
        return without(VOLATILE, {part: value for part, value in self.state.items() if history or part not in self.history})


def without(names, value):
    if isinstance(value, dict):
        return {name: without(names, inner) for name, inner in value.items() if name not in names}
    if isinstance(value, list):
        return [without(names, inner) for inner in value]
    return value


def identifier(length, prefix=""):
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(length))


def page(items, start, size):
    """A page of a list and where the next one begins (None at the end); `start` is what the last page gave."""
    at = int(start or 0)
    return items[at:at + size], str(at + size) if at + size < len(items) else None
