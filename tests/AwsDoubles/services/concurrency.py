"""Lambda's provisioned concurrency: of an alias or a version, allocated after a while."""

from wire.errors import AwsError
from wire.scalars import write_time

from .service import page


class Concurrency:
    def PutProvisionedConcurrencyConfig(self, p):
        function, qualifier = self.provisioned(p)
        wanted = p["ProvisionedConcurrentExecutions"]
        function["provisioned"][qualifier] = {"wanted": wanted, "pending": self.world.settings["lambdaPendingReads"], "LastModified": write_time(self.now, "iso8601").replace("Z", "+0000")}
        return told(function["provisioned"][qualifier])

    def GetProvisionedConcurrencyConfig(self, p):
        function, qualifier = self.provisioned(p)
        if qualifier not in function["provisioned"]:
            raise AwsError("ProvisionedConcurrencyConfigNotFoundException", "No Provisioned Concurrency Config found for this function", 404)
        found = function["provisioned"][qualifier]
        result = told(found)
        found["pending"] = max(0, found["pending"] - 1)
        return result

    def DeleteProvisionedConcurrencyConfig(self, p):
        function, qualifier = self.provisioned(p)
        function["provisioned"].pop(qualifier, None)
        return {}

    def ListProvisionedConcurrencyConfigs(self, p):
        function, _ = self.function(p)
        configs = [{"FunctionArn": self.alias_arn(function, qualifier), **told(found)} for qualifier, found in function["provisioned"].items()]
        items, after = page(configs, p.get("Marker"), p.get("MaxItems", 50))
        return {"ProvisionedConcurrencyConfigs": items, "NextMarker": after}

    def provisioned(self, p):
        function, qualifier = self.function(p)
        if qualifier == "$LATEST":
            raise AwsError("InvalidParameterValueException", "Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
        self.version(function, qualifier)
        return function, qualifier


def told(found):
    ready = found["pending"] == 0
    result = {"RequestedProvisionedConcurrentExecutions": found["wanted"], "AvailableProvisionedConcurrentExecutions": found["wanted"] if ready else 0, "AllocatedProvisionedConcurrentExecutions": found["wanted"] if ready else 0}
    return {**result, "Status": "READY" if ready else "IN_PROGRESS", "LastModified": found["LastModified"]}
