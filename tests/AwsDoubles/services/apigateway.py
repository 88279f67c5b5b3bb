"""Amazon API Gateway: deployments of a REST API, and stages with a canary."""

from wire.errors import AwsError

from .service import Service, identifier, page

PATHS = ("deploymentId", "description", "cacheClusterEnabled", "tracingEnabled", "clientCertificateId")


class ApiGateway(Service):
    name, source = "apigateway", "apigateway.amazonaws.com"

    def __init__(self, world):
        super().__init__(world)
        self.state = {"apis": {}}

    def CreateRestApi(self, p):
        if "name" not in p:
            raise AwsError("BadRequestException", "No Rest API name specified")
        name = identifier(10).lower()
        info = {"id": name, "name": p["name"], "createdDate": self.now, "apiKeySource": "HEADER", "endpointConfiguration": {"types": ["EDGE"]}, "disableExecuteApiEndpoint": False}
        self.state["apis"][name] = {"info": info, "deployments": {}, "stages": {}}
        return info

    def GetRestApi(self, p):
        return self.api(p)["info"]

    # Deployments

    def CreateDeployment(self, p):
        api = self.api(p)
        stage, canary = api["stages"].get(p.get("stageName")), p.get("canarySettings")
        if canary is not None and not stage:
            raise AwsError("BadRequestException", "Canary settings need a stage that exists.")
        if not 0 <= (canary or {}).get("percentTraffic", 0) <= 100:
            raise AwsError("BadRequestException", "percentTraffic must be between 0 and 100.")
        deployment = {"id": identifier(6).lower(), "createdDate": self.now, "description": p.get("description", "")}
        api["deployments"][deployment["id"]] = deployment
        if stage and (canary is not None or "canarySettings" in stage):
            # A stage that has a canary deploys to it; its own deployment changes when somebody promotes.
            stage["canarySettings"] = {"percentTraffic": 0.0, "useStageCache": False, **stage.get("canarySettings", {}), **(canary or {}), "deploymentId": deployment["id"]}
            stage["lastUpdatedDate"] = self.now
        elif stage:
            stage.update(deploymentId=deployment["id"], lastUpdatedDate=self.now, **({"variables": p["variables"]} if "variables" in p else {}))
        elif "stageName" in p:
            api["stages"][p["stageName"]] = self.stage_made(p["stageName"], deployment["id"], p.get("variables"))
        return deployment

    def GetDeployment(self, p):
        return self.deployment(self.api(p), p["deploymentId"])

    def GetDeployments(self, p):
        items, after = page(list(self.api(p)["deployments"].values()), p.get("position"), p.get("limit", 25))
        return {"items": items, "position": after}

    def DeleteDeployment(self, p):
        api = self.api(p)
        self.deployment(api, p["deploymentId"])
        if any(p["deploymentId"] in (s["deploymentId"], s.get("canarySettings", {}).get("deploymentId")) for s in api["stages"].values()):
            raise AwsError("BadRequestException", "Active stages pointing to this deployment must be moved or deleted")
        del api["deployments"][p["deploymentId"]]
        return {}

    # Stages

    def CreateStage(self, p):
        api = self.api(p)
        if p["stageName"] in api["stages"]:
            raise AwsError("ConflictException", "Stage already exists")
        self.deployment(api, p["deploymentId"])
        api["stages"][p["stageName"]] = self.stage_made(p["stageName"], p["deploymentId"], p.get("variables"))
        return api["stages"][p["stageName"]]

    def GetStage(self, p):
        return self.stage(p)

    def GetStages(self, p):
        return {"item": [s for s in self.api(p)["stages"].values() if p.get("deploymentId") in (None, s["deploymentId"])]}

    def UpdateStage(self, p):
        """All of the patch or nothing: it works on a copy."""
        api, stage = self.api(p), self.stage(p)
        changed = {**stage, "variables": dict(stage["variables"])}
        if "canarySettings" in stage:
            changed["canarySettings"] = {**stage["canarySettings"], "stageVariableOverrides": dict(stage["canarySettings"].get("stageVariableOverrides", {}))}
        for operation in p.get("patchOperations", []):
            self.patch(api, changed, operation)
        if not changed.get("canarySettings", {}).get("stageVariableOverrides", True):
            del changed["canarySettings"]["stageVariableOverrides"]
        api["stages"][p["stageName"]] = {**changed, "lastUpdatedDate": self.now}
        return api["stages"][p["stageName"]]

    def patch(self, api, stage, operation):
        path, value, kind = operation.get("path", ""), operation.get("value"), operation.get("op")
        parts = path.strip("/").split("/")
        canary = stage.get("canarySettings")
        if kind == "remove" and parts == ["canarySettings"]:
            stage.pop("canarySettings", None)
        elif kind == "copy" and canary and (operation.get("from"), path) == ("/canarySettings/deploymentId", "/deploymentId"):
            stage["deploymentId"] = canary["deploymentId"]
        elif kind == "copy" and canary and (operation.get("from"), path) == ("/canarySettings/stageVariableOverrides", "/variables"):
            stage["variables"] = {**stage["variables"], **canary["stageVariableOverrides"]}
        elif parts[0] == "canarySettings" and len(parts) > 1 and kind in ("replace", "add", "remove"):
            self.patch_canary(api, stage, kind, parts[1:], value)
        elif parts[0] == "variables" and len(parts) == 2 and kind in ("replace", "add"):
            stage["variables"][parts[1]] = value
        elif parts[0] == "variables" and len(parts) == 2 and kind == "remove":
            stage["variables"].pop(parts[1], None)
        elif kind == "replace" and len(parts) == 1 and parts[0] in PATHS and value is not None:
            if parts[0] == "deploymentId":
                self.deployment(api, value)
            stage[parts[0]] = value == "true" if isinstance(stage.get(parts[0]), bool) else value
        else:
            raise AwsError("BadRequestException", f"Invalid patch path '{path}' specified for op '{kind}'.")

    def patch_canary(self, api, stage, kind, parts, value):
        canary = stage.setdefault("canarySettings", {"percentTraffic": 0.0, "useStageCache": False, "deploymentId": stage["deploymentId"], "stageVariableOverrides": {}})
        if parts == ["percentTraffic"] and kind == "replace":
            try:
                percent = float(value)
            except (TypeError, ValueError):
                percent = -1
            if not 0 <= percent <= 100:
                raise AwsError("BadRequestException", f"Invalid value '{value}' for percentTraffic: it must be between 0 and 100.")
            canary["percentTraffic"] = percent
        elif parts == ["deploymentId"] and kind == "replace":
            canary["deploymentId"] = self.deployment(api, value)["id"]
        elif parts == ["useStageCache"] and kind == "replace":
            canary["useStageCache"] = value == "true"
        elif parts[0] == "stageVariableOverrides" and len(parts) == 2:
            overrides = canary["stageVariableOverrides"]
            overrides.pop(parts[1], None) if kind == "remove" else overrides.update({parts[1]: value})
        else:
            raise AwsError("BadRequestException", f"Invalid patch path '/canarySettings/{'/'.join(parts)}'.")

    def stage_made(self, name, deployment, variables):
        return {
            "stageName": name, "deploymentId": deployment, "variables": dict(variables or {}), "cacheClusterEnabled": False, "cacheClusterStatus": "NOT_AVAILABLE", "methodSettings": {},
            "tracingEnabled": False, "createdDate": self.now, "lastUpdatedDate": self.now}

    def api(self, p):
        if p["restApiId"] not in self.state["apis"]:
            raise AwsError("NotFoundException", "Invalid API identifier specified 111122223333:" + p["restApiId"])
        return self.state["apis"][p["restApiId"]]

    def stage(self, p):
        stages = self.api(p)["stages"]
        if p["stageName"] not in stages:
            raise AwsError("NotFoundException", "Invalid stage identifier specified")
        return stages[p["stageName"]]

    def deployment(self, api, name):
        if name not in api["deployments"]:
            raise AwsError("NotFoundException", "Invalid Deployment identifier specified")
        return api["deployments"][name]

    # What the doubles and the tests need

    def touch(self, operation, parameters):
        self.stage(parameters)["lastUpdatedDate"] = self.now

    def snapshot(self, history):
        """Without history: the stages; deployments only pile up."""
        if history:
            return super().snapshot(history)
        return {name: {s: {k: v for k, v in stage.items() if not k.endswith("Date")} for s, stage in api["stages"].items()} for name, api in self.state["apis"].items()}

    def resources(self, operation, parameters, output):
        named = [("AWS::ApiGateway::RestApi", parameters["restApiId"])] if "restApiId" in parameters else []
        return named + ([("AWS::ApiGateway::Stage", parameters["stageName"])] if "stageName" in parameters else [])

    def serving(self, resource):
        """Who answers the users of `api/stage`. API Gateway's metrics don't tell a canary's requests from the others."""
        name, _, stage_name = resource.partition("/")
        api = self.state["apis"][name]
        stage = api["stages"][stage_name]
        canary = stage.get("canarySettings", {})
        share = canary.get("percentTraffic", 0) / 100
        told = [{"ApiName": api["info"]["name"]}, {"ApiName": api["info"]["name"], "Stage": stage_name}]
        parts = [(stage["deploymentId"], 1 - share), (canary.get("deploymentId"), share)]
        versions = lambda d: [d, api["deployments"][d]["description"]]
        return [{"namespace": "AWS/ApiGateway", "share": s, "versions": versions(d), "dimensions": told} for d, s in parts if s > 0]
