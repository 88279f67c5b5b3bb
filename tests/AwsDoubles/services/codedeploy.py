"""AWS CodeDeploy: applications, groups and configurations; what deployments do is in deployments.py."""

import uuid

from wire.errors import AwsError

from .deployments import Deployments
from .revisions import known_as
from .service import Service, page


def configuration(name, platform, routing=None, hosts=None):
    result = {"deploymentConfigId": str(uuid.uuid5(uuid.NAMESPACE_DNS, name)), "deploymentConfigName": name, "computePlatform": platform}
    return {**result, **({"trafficRoutingConfig": routing} if routing else {}), **({"minimumHealthyHosts": hosts} if hosts else {})}


def canary(percent, minutes):
    return {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": percent, "canaryInterval": minutes}}


def linear(percent, minutes):
    return {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": percent, "linearInterval": minutes}}


AMAZONS = {c["deploymentConfigName"]: c for c in (
    configuration("CodeDeployDefault.AllAtOnce", "Server", hosts={"type": "FLEET_PERCENT", "value": 0}),
    configuration("CodeDeployDefault.HalfAtATime", "Server", hosts={"type": "FLEET_PERCENT", "value": 50}),
    configuration("CodeDeployDefault.OneAtATime", "Server", hosts={"type": "HOST_COUNT", "value": 1}),
    configuration("CodeDeployDefault.LambdaAllAtOnce", "Lambda", {"type": "AllAtOnce"}),
    configuration("CodeDeployDefault.LambdaCanary10Percent5Minutes", "Lambda", canary(10, 5)),
    configuration("CodeDeployDefault.LambdaLinear10PercentEvery1Minute", "Lambda", linear(10, 1)),
    configuration("CodeDeployDefault.ECSAllAtOnce", "ECS", {"type": "AllAtOnce"}),
    configuration("CodeDeployDefault.ECSCanary10Percent5Minutes", "ECS", canary(10, 5)),
    configuration("CodeDeployDefault.ECSLinear10PercentEvery1Minutes", "ECS", linear(10, 1)),
)}


class CodeDeploy(Deployments, Service):
    name, source = "codedeploy", "codedeploy.amazonaws.com"
    history = ("deployments",)

    def __init__(self, world):
        super().__init__(world)
        self.state = {"applications": {}, "configurations": {k: dict(v) for k, v in AMAZONS.items()}, "deployments": {}, "objects": {}}

    def CreateApplication(self, p):
        name = p["applicationName"]
        if name in self.state["applications"]:
            raise AwsError("ApplicationAlreadyExistsException", f"An application with the name {name} already exists.")
        info = {"applicationId": str(uuid.uuid4()), "applicationName": name, "createTime": self.now, "linkedToGitHub": False, "computePlatform": p.get("computePlatform", "Server")}
        self.state["applications"][name] = {"info": info, "groups": {}, "revisions": []}
        return {"applicationId": info["applicationId"]}

    def GetApplication(self, p):
        return {"application": self.application(p)["info"]}

    def CreateDeploymentConfig(self, p):
        name = p["deploymentConfigName"]
        if name in self.state["configurations"]:
            raise AwsError("DeploymentConfigAlreadyExistsException", f"A deployment configuration with the name {name} already exists.")
        made = configuration(name, p.get("computePlatform", "Server"), p.get("trafficRoutingConfig"), p.get("minimumHealthyHosts"))
        if ("trafficRoutingConfig" in made) == (made["computePlatform"] == "Server"):
            raise AwsError("InvalidTrafficRoutingConfigurationException", "Lambda and ECS are routed, servers are counted.")
        self.state["configurations"][name] = {**made, "createTime": self.now}
        return {"deploymentConfigId": made["deploymentConfigId"]}

    def GetDeploymentConfig(self, p):
        return {"deploymentConfigInfo": self.configuration(p["deploymentConfigName"])}

    def CreateDeploymentGroup(self, p):
        application, name = self.application(p), p["deploymentGroupName"]
        if name in application["groups"]:
            raise AwsError("DeploymentGroupAlreadyExistsException", f"The deployment group name already exists: {name}")
        platform = application["info"]["computePlatform"]
        default = {"Server": "CodeDeployDefault.OneAtATime", "Lambda": "CodeDeployDefault.LambdaAllAtOnce", "ECS": "CodeDeployDefault.ECSAllAtOnce"}[platform]
        style = {"deploymentType": "IN_PLACE" if platform == "Server" else "BLUE_GREEN", "deploymentOption": "WITHOUT_TRAFFIC_CONTROL" if platform == "Server" else "WITH_TRAFFIC_CONTROL"}
        info = {"deploymentConfigName": default, "deploymentStyle": style, **{k: v for k, v in p.items() if k != "tags"}, "deploymentGroupId": str(uuid.uuid4()), "computePlatform": platform}
        if platform != "Server" and info["deploymentStyle"] != {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}:
            raise AwsError("InvalidDeploymentStyleException", f"{platform} is deployed BLUE_GREEN, WITH_TRAFFIC_CONTROL.")
        if platform == "ECS" and not (p.get("ecsServices") and p.get("loadBalancerInfo", {}).get("targetGroupPairInfoList")):
            raise AwsError("InvalidECSServiceException", "A group for ECS needs its service and a pair of target groups.")
        self.configuration(info["deploymentConfigName"])
        application["groups"][name] = {"info": info, "instances": {}, "taskSets": [], "failing": []}
        return {"deploymentGroupId": info["deploymentGroupId"]}

    def GetDeploymentGroup(self, p):
        return {"deploymentGroupInfo": self.group(p)["info"]}

    def RegisterApplicationRevision(self, p):
        self.register(self.application(p), p["revision"], p.get("description"))
        return {}

    def GetApplicationRevision(self, p):
        found = next((r for r in self.application(p)["revisions"] if known_as(r["revision"]) == known_as(p["revision"])), None)
        if not found:
            raise AwsError("RevisionDoesNotExistException", "The named revision does not exist with the user or AWS account.")
        return {"applicationName": p["applicationName"], **found}

    def register(self, application, revision, description=None, group=None):
        found = next((r for r in application["revisions"] if known_as(r["revision"]) == known_as(revision)), None)
        if not found:
            found = {"revision": revision, "revisionInfo": {"registerTime": self.now, "deploymentGroups": []}}
            application["revisions"].append(found)
        info = found["revisionInfo"]
        if description:
            info["description"] = description
        if group:
            info.update(firstUsedTime=info.get("firstUsedTime", self.now), lastUsedTime=self.now, deploymentGroups=sorted({*info["deploymentGroups"], group}))

    def application(self, p):
        if "applicationName" not in p:
            raise AwsError("ApplicationNameRequiredException", "The application name is required.")
        if p["applicationName"] not in self.state["applications"]:
            raise AwsError("ApplicationDoesNotExistException", f"No application found for name: {p['applicationName']}")
        return self.state["applications"][p["applicationName"]]

    def group(self, p):
        application, name = self.application(p), p.get("deploymentGroupName")
        if not name:
            raise AwsError("DeploymentGroupNameRequiredException", "The deployment group name is required.")
        if name not in application["groups"]:
            raise AwsError("DeploymentGroupDoesNotExistException", f"No Deployment Group found for name: {name}")
        return application["groups"][name]

    def configuration(self, name):
        if name not in self.state["configurations"]:
            raise AwsError("DeploymentConfigDoesNotExistException", f"No deployment configuration found for name: {name}")
        return self.state["configurations"][name]

    def ListDeployments(self, p):
        if "applicationName" in p:
            self.group(p)
        elif "deploymentGroupName" in p:
            raise AwsError("ApplicationNameRequiredException", "The application name is required with a deployment group's.")
        span = {k: v.timestamp() for k, v in p.get("createTimeRange", {}).items()}
        chosen = [
            d["info"]["deploymentId"] for d in reversed(self.state["deployments"].values())
            if p.get("applicationName") in (None, d["info"]["applicationName"]) and p.get("deploymentGroupName") in (None, d["info"]["deploymentGroupName"])
            and d["info"]["status"] in (p.get("includeOnlyStatuses") or [d["info"]["status"]]) and span.get("start", 0) <= d["info"]["createTime"] <= span.get("end", self.now)]
        items, after = page(chosen, p.get("nextToken"), 100)
        return {"deployments": items, "nextToken": after}

    def serving(self, resource):
        application, _, group = resource.partition("/")
        found = self.state["applications"][application]["groups"][group]
        return self.platform(found).serving(resource)

    def snapshot(self, history):
        """Without history: each group as it was configured, and what serves its users."""
        if history:
            return super().snapshot(history)
        past = ("targetRevision", "lastSuccessfulDeployment", "lastAttemptedDeployment")
        return {
            f"{application}/{name}": {
                "configuration": {k: v for k, v in group["info"].items() if k not in past},
                "instances": {k: v["revision"] for k, v in group["instances"].items() if v["registered"]},
                "taskSets": sorted([t["taskDefinition"], t["trafficWeight"]] for t in group["taskSets"]),
            } for application, found in self.state["applications"].items() for name, group in found["groups"].items()}

    def resources(self, operation, parameters, output):
        if "deploymentId" in parameters:
            parameters = self.state["deployments"].get(parameters["deploymentId"], {}).get("info", {})
        kinds = (("applicationName", "AWS::CodeDeploy::Application"), ("deploymentGroupName", "AWS::CodeDeploy::DeploymentGroup"))
        return [(kind, parameters[name]) for name, kind in kinds if name in parameters]
