"""One account of AWS: its services, who called them, what goes wrong, and the one lock around an operation."""

import base64
import copy
import hashlib
import threading
import time
from datetime import datetime

import faults
from loads import Loads
from services import SERVICES
from wire import decode, encode, signature, validation
from wire.errors import AwsError, ModelViolation, broken, denied, invalid, throttled
from wire.http import Reply
from wire.models import MODELS

READS = ("Get", "List", "Describe", "BatchGet", "Lookup", "Head", "Invoke", "Simulate")


class World:
    def __init__(self, keys):
        self.keys, self.lock = keys, threading.RLock()
        self.settings = {"lambdaPendingReads": 1, "cloudfrontPendingReads": 1, "cloudtrailDelaySeconds": 0, "codedeployStepSeconds": 0.05, "periodSeconds": 60, "minuteSeconds": 60}
        self.replies = {}  # what a test wants to be said by what has no double
        self.faults, self.calls, self.violations, self.bugs = faults.Faults(), [], [], []
        self.loads = Loads(self)
        self.services = {name: make(self) for name, make in SERVICES.items()}

    def fresh(self):
        """Another account with the same callers, in which nothing has happened."""
        return World(self.keys)

    def handle(self, request):
        service, match = signature.scope_of(request)
        with self.lock:
            call = {"sequence": len(self.calls) + 1, "service": service, "operation": None, "parameters": {}, "user": None, "status": None, "error": None}
            self.calls.append(call)
        operation = None
        try:
            user, access_key = signature.verify(request, service, match, self.keys, time.time())
            call["user"] = user
            operation, parameters = self.read(service, request, call)
            reply = self.befall(service, operation, parameters, call, access_key)
        except AwsError as failure:
            call["error"] = failure.code
            reply = encode.error(service, operation, failure)
        call["status"] = reply.status if reply.ending == "send" else None
        return reply

    def read(self, service, request, call):
        operation, parameters, problems = decode.decode(service, request)
        call.update(operation=operation.name, parameters=plain(parameters))
        problems = problems + validation.violations(parameters, operation.input_shape)
        if problems:
            self.violations.append({"sequence": call["sequence"], "service": service, "operation": operation.name, "problems": problems})
            raise ModelViolation(invalid(service), problems)
        return operation, parameters

    def befall(self, service, operation, parameters, call, access_key):
        """The call, with whatever goes wrong with it."""
        with self.lock:
            befallen = self.faults.take(service, operation.name, parameters)
        kinds = {fault["kind"]: fault for fault in befallen}
        if not self.hold(befallen, call, "before"):
            return Reply(0, ending="lose")
        if "throttle" in kinds:
            raise throttled(service)
        if "error" in kinds:
            raise broken(service)
        if "deny" in kinds:
            raise denied(service, operation.name, call["user"])
        try:
            with self.lock:
                if "move" in kinds:
                    change = kinds["move"]["change"]
                    self.act(change.get("service", service), change["operation"], change["parameters"], kinds["move"].get("user", "somebody"))
                if "touch" in kinds:
                    self.services[service].touch(operation.name, parameters)
                reply = self.perform(service, operation, parameters, call["user"], access_key, stale="stale" in kinds)
        except AwsError as failure:
            call["error"] = failure.code
            reply = encode.error(service, operation, failure)
        kept = self.hold(befallen, call, "after")
        reply.ending = next((kind for kind in ("lose", "timeout") if kind in kinds), "send" if kept else "lose")
        return reply

    def hold(self, befallen, call, when):
        return all([self.faults.hold(fault, call, when) for fault in befallen if fault["kind"] == "hold" and fault.get("when", "before") == when])

    def view(self, distribution, request):
        """What a viewer gets at an edge of CloudFront: nobody's call."""
        with self.lock:
            edge = self.services["cloudfront"]
            edge.now = time.time()
            return edge.serve(request, distribution)

    def act(self, service, operation, parameters, user, access_key="AKIDBEHINDYOURBACK"):
        """Somebody else's change. It needs no RevisionId and no ETag, but must fit the model."""
        model = MODELS[service].operation_model(operation)
        blobs = [name for name, member in model.input_shape.members.items() if member.type_name == "blob" and isinstance(parameters.get(name), str)]
        parameters = {**parameters, **{name: base64.b64decode(parameters[name]) for name in blobs}}
        problems = validation.violations(parameters, model.input_shape)
        if problems:
            raise ModelViolation(invalid(service), problems)
        call = {"sequence": len(self.calls) + 1, "service": service, "operation": operation, "parameters": plain(parameters), "user": user, "status": None, "error": None}
        self.calls.append(call)
        try:
            reply = self.perform(service, model, parameters, user, access_key, forced=True)
        except AwsError as failure:
            call.update(status=failure.status or 400, error=failure.code)
            raise
        call["status"] = reply.status
        return reply

    def perform(self, service, operation, parameters, user, access_key, stale=False, forced=False):
        now, double = time.time(), self.services[service]
        self.advance(now)
        act = getattr(double, operation.name, None)
        if (service, operation.name) in self.replies:
            act = lambda _: dict(self.replies[service, operation.name])
        if act is None:
            raise AwsError("NotImplementedByThisDouble", f"{service} {operation.name} is not part of the double.", 501)
        read_only = operation.name.startswith(READS)
        current, earlier = double.state, None
        if stale:
            double.state = double.past()
        elif not read_only:
            earlier = copy.deepcopy(current)
        double.now, double.forced, double.caller, error, output = now, forced, user, None, {}
        try:
            output = act(parameters)
            double.before = earlier or double.before  # what was refused is no write
        except AwsError as failure:
            error = failure.code
            raise
        finally:
            if stale:
                double.state = current
            if operation.name not in double.data_events:
                self.services["cloudtrail"].record(now, double, operation.name, read_only, parameters, output, user, access_key, error)
            self.loads.observe(now)
        delay, status = output.pop("_delay", 0), output.pop("_status", None)
        reply = encode.reply(service, operation, output)
        reply.delay, reply.status = delay, status or reply.status
        return reply

    def internally(self, service, operation, parameters, user, now):
        """What one service does to another. No call of a client, but CloudTrail tells of it."""
        double = self.services[service]
        double.before = copy.deepcopy(double.state)
        double.now, double.forced = now, True
        output = getattr(double, operation)(parameters)
        self.services["cloudtrail"].record(now, double, operation, False, parameters, output, user, "ASIAAWSSERVICE", None)

    def advance(self, now):
        """What happens by itself, each thing at its own moment: CodeDeploy's steps and what alarms make of them."""
        for double in self.services.values():
            double.advance(now)

    def snapshot(self, only=None, history=True):
        with self.lock:
            self.advance(time.time())
            return {name: copy.deepcopy(double.snapshot(history)) for name, double in self.services.items() if only in (None, name)}


def plain(value):
    """Parameters as JSON can hold them."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode() if len(value) <= 1024 else f"{len(value)} bytes, SHA-256 {hashlib.sha256(value).hexdigest()}"
    if isinstance(value, datetime):
        return value.isoformat()
    return value
