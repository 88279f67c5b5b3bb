"""Bad behaviour on request: which call it befalls, and what is held until a test lets it go."""

import threading

KINDS = ("throttle", "error", "lose", "timeout", "stale", "touch", "move", "hold")
FIELDS = {"id", "service", "operation", "kind", "times", "skip", "when", "parameters", "change", "user"}


class Faults:
    def __init__(self):
        self.waiting, self.held, self.released, self.next_id = [], [], threading.Condition(), 1

    def add(self, fault):
        if fault.get("kind") not in KINDS or set(fault) - FIELDS:
            raise ValueError(f"a fault has a kind of {KINDS} and fields of {sorted(FIELDS)}")
        if fault.get("when", "before") not in ("before", "after"):
            raise ValueError("a call is held before or after it acts")
        fault = {"times": 1, "skip": 0, "service": "*", "operation": "*", **fault, "id": self.next_id}
        self.next_id += 1
        self.waiting.append(fault)
        return fault

    def clear(self):
        self.waiting.clear()
        self.release(None)

    def take(self, service, operation, parameters):
        """The faults that befall this call; each is one time nearer to its end."""
        taken = []
        for fault in list(self.waiting):
            if fault["service"] not in ("*", service) or fault["operation"] not in ("*", operation):
                continue
            if any(parameters.get(name) != value for name, value in fault.get("parameters", {}).items()):
                continue
            if fault["skip"] > 0:
                fault["skip"] -= 1
                continue
            taken.append(fault)
            fault["times"] -= 1
            if fault["times"] <= 0:
                self.waiting.remove(fault)
        return taken

    def hold(self, fault, call, when):
        """Returns when somebody released it: whether it may go on. Never called with the world's lock."""
        with self.released:
            entry = {"id": fault["id"], "sequence": call["sequence"], "service": call["service"], "operation": call["operation"], "when": when}
            self.held.append(entry)
            self.released.wait_for(lambda: "dropped" in entry)
            return not entry["dropped"]

    def release(self, identifier, drop=False):
        """Lets calls go on, or drops them as if they had never arrived."""
        with self.released:
            freed = [entry for entry in self.held if identifier in (None, entry["id"])]
            self.held = [entry for entry in self.held if entry not in freed]
            for entry in freed:
                entry["dropped"] = drop
            self.released.notify_all()
            return freed
