"""AWS Lambda: functions, their published versions, and aliases that split traffic between two of them."""

import base64
import hashlib
import random
import re
import time
import uuid

from wire.errors import AwsError
from wire.scalars import write_time

from .aliases import Aliases
from .cloudwatch import dimensions_of
from .concurrency import Concurrency
from .service import ACCOUNT, REGION, VOLATILE, Service, page, without

NAME = re.compile(r"(?:arn:aws[\w-]*:lambda:[\w-]+:)?(?:\d{12}:)?(?:function:)?(?P<name>[\w-]+)(?::(?P<qualifier>\$LATEST|[\w-]+))?")
COPIED = ("Runtime", "Role", "Handler", "Description", "Timeout", "MemorySize", "DeadLetterConfig", "Environment", "Layers", "EphemeralStorage")


class Lambda(Aliases, Concurrency, Service):
    name, source = "lambda", "lambda.amazonaws.com"
    data_events = ("Invoke",)

    def __init__(self, world):
        super().__init__(world)
        self.state = {"functions": {}}

    # Names

    def function(self, parameters, qualifier=None):
        match = NAME.fullmatch(parameters["FunctionName"])
        name = match["name"]
        if name not in self.state["functions"]:
            raise AwsError("ResourceNotFoundException", f"Function not found: {arn(name)}")
        return self.state["functions"][name], parameters.get("Qualifier") or qualifier or match["qualifier"]

    def version(self, function, qualifier):
        """The configuration that a version or an alias means."""
        qualifier = function["aliases"].get(qualifier, {}).get("FunctionVersion", qualifier) or "$LATEST"
        if qualifier != "$LATEST" and qualifier not in function["versions"]:
            raise AwsError("ResourceNotFoundException", f"Function not found: {arn(function['name'], qualifier)}")
        return function["latest"] if qualifier == "$LATEST" else function["versions"][qualifier]

    # Functions

    def CreateFunction(self, p):
        name = NAME.fullmatch(p["FunctionName"])["name"]
        if name in self.state["functions"]:
            raise AwsError("ResourceConflictException", f"Function already exist: {name}")
        sha, size = self.code(p["Code"])
        latest = {
            "FunctionName": name, "FunctionArn": arn(name), "Version": "$LATEST", "PackageType": p.get("PackageType", "Zip"), "CodeSha256": sha, "CodeSize": size,
            "Timeout": 3, "MemorySize": 128, "Description": "", "Architectures": p.get("Architectures", ["x86_64"]), "TracingConfig": {"Mode": "PassThrough"},
            "State": "Active", "LastUpdateStatus": "Successful", **{k: p[k] for k in COPIED if k in p},
        }
        if "Environment" in latest:
            latest["Environment"] = {"Variables": latest["Environment"].get("Variables", {})}
        self.state["functions"][name] = {"name": name, "latest": latest, "versions": {}, "aliases": {}, "provisioned": {}, "behaviour": {}, "pending": 0}
        changed(latest)
        return self.publish(self.state["functions"][name], None) if p.get("Publish") else dict(latest)

    def GetFunctionConfiguration(self, p):
        function, qualifier = self.function(p)
        configuration = dict(self.version(function, qualifier))
        if configuration["Version"] == "$LATEST" and function["pending"] > 0:
            function["pending"] -= 1
            configuration.update(LastUpdateStatus="InProgress", LastUpdateStatusReason="The function is being created.", LastUpdateStatusReasonCode="Creating")
        if qualifier:
            configuration["FunctionArn"] = arn(function["name"], qualifier)
        return configuration

    def GetFunction(self, p):
        return {"Configuration": self.GetFunctionConfiguration(p), "Code": {"RepositoryType": "S3", "Location": f"https://awslambda-{REGION}-tasks.s3.{REGION}.amazonaws.com/snapshots/{ACCOUNT}"}}

    def UpdateFunctionCode(self, p):
        function, _ = self.function(p)
        latest = function["latest"]
        self.settled(function)
        self.same_revision(p, latest)
        sha, size = self.code(p)
        if p.get("DryRun"):
            return {**latest, "CodeSha256": sha, "CodeSize": size}
        if "Architectures" in p:
            latest["Architectures"] = p["Architectures"]
        latest.update(CodeSha256=sha, CodeSize=size)
        changed(latest)
        if p.get("Publish"):
            return self.publish(function, None)
        function["pending"] = self.world.settings["lambdaPendingReads"]
        return {**latest, "LastUpdateStatus": "InProgress"} if function["pending"] else dict(latest)

    def UpdateFunctionConfiguration(self, p):
        function, _ = self.function(p)
        self.settled(function)
        self.same_revision(p, function["latest"])
        function["latest"].update({k: p[k] for k in COPIED if k in p})
        changed(function["latest"])
        function["pending"] = self.world.settings["lambdaPendingReads"]
        return {**function["latest"], "LastUpdateStatus": "InProgress"} if function["pending"] else dict(function["latest"])

    def PublishVersion(self, p):
        function, _ = self.function(p)
        latest = function["latest"]
        self.settled(function)
        self.same_revision(p, latest)
        if p.get("CodeSha256", latest["CodeSha256"]) != latest["CodeSha256"]:
            raise AwsError("InvalidParameterValueException", f"CodeSHA256 ({p['CodeSha256']}) is different from current CodeSHA256 in $LATEST ({latest['CodeSha256']}). Please try again with the CodeSHA256 in $LATEST.")
        return self.publish(function, p.get("Description"))

    def ListVersionsByFunction(self, p):
        function, _ = self.function(p)
        everything = [dict(function["latest"])] + [dict(version) for version in function["versions"].values()]
        items, after = page(everything, p.get("Marker"), min(p.get("MaxItems", 50), 50))
        return {"Versions": items, "NextMarker": after}

    def publish(self, function, description):
        """What has not changed since it was last published keeps its number."""
        latest, versions = function["latest"], function["versions"]
        if versions:
            newest = versions[max(versions, key=int)]
            if all(newest.get(k) == latest.get(k) for k in ("CodeSha256", "Architectures", *COPIED) if k != "Description"):
                return dict(newest)
        function["published"] = number = function.get("published", 0) + 1
        version = {**latest, "Version": str(number), "FunctionArn": arn(function["name"], str(number))}
        if description is not None:
            version["Description"] = description
        changed(version)
        versions[str(number)] = version
        return dict(version)

    def code(self, p):
        """Digest and size of what a request brings. Without any bucket in the S3 double, what lies there is known by its name only."""
        given = [k for k in ("ZipFile", "S3Bucket", "ImageUri") if p.get(k)]
        if len(given) != 1 or given == ["S3Bucket"] and not p.get("S3Key"):
            raise AwsError("InvalidParameterValueException", "Please provide exactly one source of the function's code.")
        storage = self.world.services["s3"]
        if given == ["S3Bucket"] and p["S3Bucket"] in storage.state["buckets"]:
            data = storage.content(p["S3Bucket"], p["S3Key"], p.get("S3ObjectVersion"))
            if data is None:
                raise AwsError("InvalidParameterValueException", "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.")
        else:
            data = p["ZipFile"] if given == ["ZipFile"] else "/".join(str(p.get(k, "")) for k in ("S3Bucket", "S3Key", "S3ObjectVersion", "ImageUri")).encode()
        digest = hashlib.sha256(data).digest()
        return (digest.hex() if given == ["ImageUri"] else base64.b64encode(digest).decode()), len(data)

    def settled(self, function):
        if function["pending"] > 0:
            raise AwsError("ResourceConflictException", f"The operation cannot be performed at this time. An update is in progress for resource: {arn(function['name'])}")

    def same_revision(self, p, resource):
        if not self.forced and p.get("RevisionId", resource["RevisionId"]) != resource["RevisionId"]:
            raise AwsError("PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id")

    # Invocations

    def Invoke(self, p):
        function, qualifier = self.function(p)
        executed = self.pick(function, qualifier)
        behaviour = function["behaviour"].get(executed, {})
        failed = random.random() < behaviour.get("errorRate", 0)
        metrics = self.world.services["cloudwatch"]
        metrics.invoked(dimensions_of(function["name"], qualifier, executed, bool(self.weights(function, qualifier))), failed, behaviour.get("latencyMs", 1))
        if p.get("InvocationType") in ("Event", "DryRun"):
            return {"StatusCode": 202 if p["InvocationType"] == "Event" else 204, "Payload": b""}
        output = {"StatusCode": 200, "ExecutedVersion": executed, "Payload": b'{"errorMessage":"made to fail"}' if failed else b'{"version":"' + executed.encode() + b'"}'}
        if failed:
            output["FunctionError"] = "Unhandled"
        return {**output, "_delay": behaviour.get("latencyMs", 0) / 1000}

    def pick(self, function, qualifier):
        version = self.version(function, qualifier)["Version"]
        at = random.random()
        for other, weight in self.weights(function, qualifier).items():
            if at < weight:
                return other
            at -= weight
        return version

    # What the doubles and the tests need

    def serving(self, resource):
        """Who answers the users of `function:alias`, for a load."""
        name, _, qualifier = resource.partition(":")
        function = self.state["functions"][name]
        version, weights = self.version(function, qualifier)["Version"], self.weights(function, qualifier)
        shares = {version: 1 - sum(weights.values()), **weights}
        return [{"namespace": "AWS/Lambda", "share": share, "versions": [v], "dimensions": dimensions_of(name, qualifier, v, bool(weights))} for v, share in shares.items()]

    def touch(self, operation, parameters):
        function, _ = self.function(parameters)
        changed(function["aliases"].get(parameters.get("Name")) or function["latest"])

    def snapshot(self, history):
        """Without history: each alias, and the versions that it serves."""
        if history:
            return super().snapshot(history)
        return without(VOLATILE, {
            name: {alias: {**a, "versions": [self.version(function, v) for v in (a["FunctionVersion"], *a["weights"])]} for alias, a in function["aliases"].items()}
            for name, function in self.state["functions"].items()})

    def event_name(self, operation):
        return operation + ("20150331v2" if operation in ("UpdateFunctionCode", "UpdateFunctionConfiguration") else "20150331")

    def resources(self, operation, parameters, output):
        match = NAME.fullmatch(parameters.get("FunctionName", ""))
        if not match:
            return []
        found = [("AWS::Lambda::Function", match["name"]), ("AWS::Lambda::Function", arn(match["name"]))]
        return found + ([("AWS::Lambda::Alias", arn(match["name"], parameters["Name"]))] if "Alias" in operation and "Name" in parameters else [])


def arn(name, qualifier=None):
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}" + (f":{qualifier}" if qualifier else "")


def changed(resource):
    resource["RevisionId"] = str(uuid.uuid4())
    if "CodeSha256" in resource:
        resource["LastModified"] = write_time(time.time(), "iso8601").replace("Z", "+0000")
