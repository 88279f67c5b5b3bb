"""Lambda's aliases: a version, and at most one more with a share of the traffic."""

import uuid

from wire.errors import AwsError

from .service import page


class Aliases:
    def CreateAlias(self, p):
        function, _ = self.function(p)
        if p["Name"] in function["aliases"]:
            raise AwsError("ResourceConflictException", f"Alias already exists: {self.alias_arn(function, p['Name'])}")
        weights = (p.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        self.allowed(function, p["FunctionVersion"], weights)
        alias = {"AliasArn": self.alias_arn(function, p["Name"]), "Name": p["Name"], "FunctionVersion": p["FunctionVersion"], "Description": p.get("Description", ""), "weights": dict(weights), "RevisionId": str(uuid.uuid4())}
        function["aliases"][p["Name"]] = alias
        return shown(alias)

    def GetAlias(self, p):
        function, _ = self.function(p)
        return shown(self.alias(function, p["Name"]))

    def UpdateAlias(self, p):
        function, _ = self.function(p)
        alias = self.alias(function, p["Name"])
        self.same_revision(p, alias)
        # No RoutingConfig, or one without the map, leaves the weights as they are. Only an empty map takes them away.
        weights = (p.get("RoutingConfig") or {}).get("AdditionalVersionWeights")
        weights = dict(alias["weights"] if weights is None else weights)
        version = p.get("FunctionVersion", alias["FunctionVersion"])
        self.allowed(function, version, weights)
        alias.update(FunctionVersion=version, weights=weights, Description=p.get("Description", alias["Description"]), RevisionId=str(uuid.uuid4()))
        return shown(alias)

    def ListAliases(self, p):
        function, _ = self.function(p)
        aliases = [shown(a) for a in function["aliases"].values() if p.get("FunctionVersion") in (None, a["FunctionVersion"], *a["weights"])]
        items, after = page(aliases, p.get("Marker"), min(p.get("MaxItems", 50), 50))
        return {"Aliases": items, "NextMarker": after}

    def DeleteAlias(self, p):
        function, _ = self.function(p)
        function["aliases"].pop(p["Name"], None)
        return {}

    def alias(self, function, name):
        if name not in function["aliases"]:
            raise AwsError("ResourceNotFoundException", f"Cannot find alias arn: {self.alias_arn(function, name)}")
        return function["aliases"][name]

    def alias_arn(self, function, name):
        return f"{function['latest']['FunctionArn']}:{name}"

    def weights(self, function, qualifier):
        return function["aliases"].get(qualifier, {}).get("weights", {})

    def allowed(self, function, version, weights):
        if version not in ("$LATEST", *function["versions"]):
            raise AwsError("ResourceNotFoundException", f"Function not found: {self.alias_arn(function, version)}")
        if not weights:
            return
        if len(weights) > 1:
            raise AwsError("InvalidParameterValueException", "Only one additional version weight can be specified.")
        other, weight = next(iter(weights.items()))
        if "$LATEST" in (version, other):
            raise AwsError("InvalidParameterValueException", "$LATEST is not supported for an alias pointing to more than 1 version")
        if other == version:
            raise AwsError("InvalidParameterValueException", "Invalid function version in AdditionalVersionWeights. The additional version must differ from the alias's own.")
        if other not in function["versions"]:
            raise AwsError("ResourceNotFoundException", f"Function not found: {self.alias_arn(function, other)}")
        if not 0 <= weight <= 1:
            raise AwsError("InvalidParameterValueException", f"Value {weight} for the weight of version {other} is not between 0 and 1.")
        one, two = function["versions"][version], function["versions"][other]
        for shared, words in (("Role", "execution role"), ("DeadLetterConfig", "dead-letter queue configuration")):
            if one.get(shared) != two.get(shared):
                raise AwsError("InvalidParameterValueException", f"Versions {version} and {other} must have the same {words}.")


def shown(alias):
    result = {name: value for name, value in alias.items() if name != "weights"}
    if alias["weights"]:
        result["RoutingConfig"] = {"AdditionalVersionWeights": dict(alias["weights"])}
    return result
