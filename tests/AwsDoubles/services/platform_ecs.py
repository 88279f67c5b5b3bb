"""CodeDeploy on ECS: a green task set beside the blue one, and a load balancer's listener between them."""

from .revisions import Failure, resource
from .service import identifier
from .shares import shares


class Ecs:
    def __init__(self, service, group):
        self.service, self.group = service, group

    def begin(self, deployment):
        properties = resource(deployment["info"]["revision"], self.service.state["objects"], "AWS::ECS::Service")
        if "TaskDefinition" not in properties or "LoadBalancerInfo" not in properties:
            raise Failure("INVALID_REVISION", "The AppSpec file lacks TaskDefinition or LoadBalancerInfo.")
        primary = next((t for t in self.group["taskSets"] if t["trafficWeight"] == 100), None)
        if not primary:
            raise Failure("INVALID_ECS_SERVICE", "The service has no primary task set that has all the traffic.")
        pair = [g["name"] for g in self.group["info"]["loadBalancerInfo"]["targetGroupPairInfoList"][0]["targetGroups"]]
        green = {"identifer": identifier(12, "ecs-svc/"), "taskDefinition": properties["TaskDefinition"], "targetGroup": next(g for g in pair if g != primary["targetGroup"]), "trafficWeight": 0, "status": "ACTIVE"}
        deployment["plan"] = {"blue": primary["identifer"], "green": green["identifer"], "shown": []}
        self.group["taskSets"].append(green)
        if self.group["failing"] and self.group["failing"].pop(0):
            raise Failure("ECS_UPDATE_ERROR", "The replacement task set did not become healthy.")
        config = self.service.configuration(deployment["info"]["deploymentConfigName"])
        options = self.group["info"].get("blueGreenDeploymentConfiguration", {})
        ready, termination = options.get("deploymentReadyOption", {}), options.get("terminateBlueInstancesOnDeploymentSuccess", {})
        step = self.service.step_seconds()
        steps = [["ready", step, self.service.minutes(ready.get("waitTimeInMinutes", 0))]] if ready.get("actionOnTimeout") == "STOP_DEPLOYMENT" else []
        steps += [["shift", delay or step, share] for share, delay in shares(config["trafficRoutingConfig"], self.service)]
        if termination.get("action", "TERMINATE") == "TERMINATE":
            steps.append(["terminate", step, self.service.minutes(termination.get("terminationWaitTimeInMinutes", 0))])
            steps.append(["remove", 0, "blue"])
        return steps + [["finish", step, None]]

    def shift(self, deployment, share):
        self.weigh(deployment["plan"], share)

    def weigh(self, plan, share):
        for task_set in self.group["taskSets"]:
            if task_set["identifer"] == plan["green"]:
                task_set.update(trafficWeight=round(share * 100, 6), status="PRIMARY" if share == 1 else "ACTIVE")
            elif task_set["identifer"] == plan["blue"]:
                task_set.update(trafficWeight=round(100 - share * 100, 6), status="ACTIVE" if share == 1 else "PRIMARY")

    def remove(self, deployment, which):
        deployment["plan"]["shown"] = self.shown(deployment["plan"])
        self.group["taskSets"] = [t for t in self.group["taskSets"] if t["identifer"] != deployment["plan"][which]]

    def undo(self, deployment):
        if not any(t["identifer"] == deployment["plan"]["blue"] for t in self.group["taskSets"]):
            raise Failure("ECS_UPDATE_ERROR", "The original task set is gone.")
        self.weigh(deployment["plan"], 0)
        return [["remove", self.service.step_seconds(), "green"], ["finish", 0, None]]

    def stopped(self, deployment):
        """Both task sets stay, with the weights that they have, unless a rollback follows."""

    def shown(self, plan):
        return [
            {
                "identifer": t["identifer"], "desiredCount": 2, "pendingCount": 0, "runningCount": 2, "status": t["status"], "trafficWeight": t["trafficWeight"],
                "targetGroup": {"name": t["targetGroup"]}, "taskSetLabel": "Blue" if t["identifer"] == plan["blue"] else "Green",
            } for t in self.group["taskSets"]]

    def targets(self, deployment):
        service, status = self.group["info"]["ecsServices"][0], deployment["info"]["status"]
        name = f"{service['clusterName']}:{service['serviceName']}"
        target = {
            "deploymentId": deployment["info"]["deploymentId"], "targetId": name, "targetArn": f"arn:aws:ecs:eu-central-1:111122223333:service/{name.replace(':', '/')}", "lastUpdatedAt": self.service.now,
            "status": {"Succeeded": "Succeeded", "Failed": "Failed", "Stopped": "Skipped", "Ready": "Ready"}.get(status, "InProgress"), "lifecycleEvents": [],
            "taskSetsInfo": deployment["plan"]["shown"] or self.shown(deployment["plan"]),
        }
        return {name: {"deploymentTargetType": "ECSTarget", "ecsTarget": target}}

    def serving(self, resource):
        parts = []
        for t in self.group["taskSets"]:
            dimensions = [{"LoadBalancer": resource}, {"LoadBalancer": resource, "TargetGroup": t["targetGroup"]}, {"TargetGroup": t["targetGroup"]}]
            parts.append({"namespace": "AWS/ApplicationELB", "share": t["trafficWeight"] / 100, "versions": [t["taskDefinition"]], "dimensions": dimensions})
        return parts
