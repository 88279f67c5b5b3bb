"""CodeDeploy on Lambda: moves an alias from one version to another, at once or in shares."""

from wire.errors import AwsError

from .revisions import Failure, resource
from .shares import shares


class LambdaAlias:
    def __init__(self, service, group):
        self.service, self.group, self.functions = service, group, service.world.services["lambda"]

    def begin(self, deployment):
        properties = resource(deployment["info"]["revision"], self.service.state["objects"], "AWS::Lambda::Function")
        try:
            plan = {"function": properties["Name"], "alias": properties["Alias"], "from": str(properties["CurrentVersion"]), "to": str(properties["TargetVersion"]), "share": 0}
        except KeyError as missing:
            raise Failure("INVALID_REVISION", f"The AppSpec file lacks {missing}.") from missing
        try:
            alias = self.functions.GetAlias({"FunctionName": plan["function"], "Name": plan["alias"]})
            self.functions.GetFunctionConfiguration({"FunctionName": plan["function"], "Qualifier": plan["to"]})
        except AwsError as failure:
            raise Failure("INVALID_LAMBDA_FUNCTION", failure.message) from failure
        if alias["FunctionVersion"] != plan["from"]:
            raise Failure("INVALID_LAMBDA_CONFIGURATION", f"The alias {plan['alias']} has version {alias['FunctionVersion']}, not the CurrentVersion {plan['from']}.")
        if plan["from"] == plan["to"]:
            raise Failure("INVALID_LAMBDA_CONFIGURATION", "CurrentVersion and TargetVersion are the same.")
        deployment["plan"] = plan
        if self.group["failing"] and self.group["failing"].pop(0):
            raise Failure("HOOK_EXECUTION_FAILURE", "The BeforeAllowTraffic hook failed.")
        config = self.service.configuration(deployment["info"]["deploymentConfigName"])
        return [["shift", delay, share] for share, delay in shares(config["trafficRoutingConfig"], self.service)] + [["finish", self.service.step_seconds(), None]]

    def shift(self, deployment, share):
        plan = deployment["plan"]
        if share < 1:
            change = {"FunctionVersion": plan["from"], "RoutingConfig": {"AdditionalVersionWeights": {plan["to"]: share}}}
        else:
            change = {"FunctionVersion": plan["to"], "RoutingConfig": {"AdditionalVersionWeights": {}}}
        self.write(plan, change, deployment)
        plan["share"] = share

    def undo(self, deployment):
        plan = deployment["plan"]
        self.write(plan, {"FunctionVersion": plan["from"], "RoutingConfig": {"AdditionalVersionWeights": {}}}, deployment)
        plan.update({"from": plan["to"], "to": plan["from"], "share": 1})
        return [["finish", self.service.step_seconds(), None]]

    def write(self, plan, change, deployment):
        parameters = {"FunctionName": plan["function"], "Name": plan["alias"], **change}
        try:
            self.service.world.internally("lambda", "UpdateAlias", parameters, "codedeploy.amazonaws.com", deployment["due"])
        except AwsError as failure:
            raise Failure("INVALID_LAMBDA_CONFIGURATION", failure.message) from failure

    def stopped(self, deployment):
        """The alias stays as it is: half way, unless a rollback follows."""

    def targets(self, deployment):
        plan, status = deployment["plan"], deployment["info"]["status"]
        identifier = f"{plan['function']}:{plan['alias']}"
        target = {
            "deploymentId": deployment["info"]["deploymentId"], "targetId": identifier, "targetArn": self.functions.state["functions"][plan["function"]]["latest"]["FunctionArn"],
            "status": {"Succeeded": "Succeeded", "Failed": "Failed", "Stopped": "Skipped"}.get(status, "InProgress"), "lastUpdatedAt": self.service.now, "lifecycleEvents": [],
            "lambdaFunctionInfo": {"functionName": plan["function"], "functionAlias": plan["alias"], "currentVersion": plan["from"], "targetVersion": plan["to"], "targetVersionWeight": plan["share"]},
        }
        return {identifier: {"deploymentTargetType": "LambdaTarget", "lambdaTarget": target}}

    def serving(self, resource):
        """A load on functions is of kind lambda, on the alias."""
        return []
