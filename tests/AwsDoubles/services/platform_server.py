"""CodeDeploy on servers: in place, so many at a time, or blue/green with replacements and a load balancer."""

import math

from .revisions import Failure, known_as, names
from .service import identifier


class Servers:
    def __init__(self, service, group):
        self.service, self.group, self.instances = service, group, group["instances"]

    def begin(self, deployment):
        blue = [i for i, s in self.instances.items() if s["registered"]]
        if not blue:
            raise Failure("NO_INSTANCES", "The deployment failed because no instances were found for your deployment group.")
        in_place = self.group["info"]["deploymentStyle"]["deploymentType"] == "IN_PLACE"
        new = {"revision": known_as(deployment["info"]["revision"]), "names": names(deployment["info"]["revision"])}
        green = blue if in_place else [identifier(10, "i-") for _ in blue]
        deployment["plan"] = {
            "new": new, "blue": {} if in_place else dict.fromkeys(blue), "before": {i: dict(self.instances[i]) for i in blue}, "targets": dict.fromkeys(green, "Pending"),
            "failing": self.group["failing"].pop(0) if self.group["failing"] else [], "inPlace": in_place}
        for name in () if in_place else green:
            self.instances[name] = {"revision": None, "names": [], "registered": False}
        return self.in_place(green, deployment) if in_place else self.replaced(green)

    def in_place(self, instances, deployment):
        size = max(1, len(instances) - self.healthy(deployment, len(instances)))
        batches = [instances[at:at + size] for at in range(0, len(instances), size)]
        return [["install", self.service.step_seconds(), batch] for batch in batches] + [["finish", self.service.step_seconds(), None]]

    def replaced(self, green):
        options, step = self.group["info"].get("blueGreenDeploymentConfiguration", {}), self.service.step_seconds()
        ready, termination = options.get("deploymentReadyOption", {}), options.get("terminateBlueInstancesOnDeploymentSuccess", {})
        steps = [["install", step, green]]
        if ready.get("actionOnTimeout") == "STOP_DEPLOYMENT":
            steps.append(["ready", step, self.service.minutes(ready.get("waitTimeInMinutes", 0))])
        steps.append(["reroute", step, None])
        if termination.get("action", "TERMINATE") == "TERMINATE":
            steps += [["terminate", step, self.service.minutes(termination.get("terminationWaitTimeInMinutes", 0))], ["remove", 0, "blue"]]
        return steps + [["finish", step, None]]

    def healthy(self, deployment, count):
        """How many must stay healthy; one at a time means all but one."""
        hosts = self.service.configuration(deployment["info"]["deploymentConfigName"])["minimumHealthyHosts"]
        if deployment["info"]["deploymentConfigName"] == "CodeDeployDefault.OneAtATime":
            return count - 1
        return min(count, hosts["value"]) if hosts["type"] == "HOST_COUNT" else math.ceil(count * hosts["value"] / 100)

    def install(self, deployment, batch):
        plan = deployment["plan"]
        for name in batch:
            if name in plan["failing"] or "*" in plan["failing"]:
                plan["targets"][name] = "Failed"
                continue
            plan["targets"][name] = "Succeeded"
            self.instances[name].update(plan["new"])
        failed = sum(status == "Failed" for status in plan["targets"].values())
        if failed == len(plan["targets"]) or len(plan["targets"]) - failed < self.healthy(deployment, len(plan["targets"])):
            raise Failure("HEALTH_CONSTRAINTS", "The overall deployment failed because too many individual instances failed deployment.")

    def reroute(self, deployment, _):
        for name in self.instances:
            self.instances[name]["registered"] = name in deployment["plan"]["targets"]

    def remove(self, deployment, which):
        for name in deployment["plan"]["blue" if which == "blue" else "targets"]:
            self.instances.pop(name, None)

    def undo(self, deployment):
        plan = deployment["plan"]
        if not plan["inPlace"]:
            missing = [name for name in plan["before"] if name not in self.instances]
            if missing:
                raise Failure("NO_INSTANCES", f"The original instances {missing} are gone.")
            for name in self.instances:
                self.instances[name]["registered"] = name in plan["before"]
            return [["remove", self.service.step_seconds(), "green"], ["finish", 0, None]]
        changed = [name for name, state in plan["targets"].items() if state != "Pending"]
        plan["targets"] = dict.fromkeys(changed, "Pending")
        return [["put_back", self.service.step_seconds(), [name]] for name in changed] + [["finish", self.service.step_seconds(), None]]

    def put_back(self, deployment, batch):
        for name in batch:
            self.instances[name].update(deployment["plan"]["before"][name])
            deployment["plan"]["targets"][name] = "Succeeded"

    def stopped(self, deployment):
        for name, status in deployment["plan"]["targets"].items() if deployment["plan"] else ():
            if status == "Pending":
                deployment["plan"]["targets"][name] = "Skipped"

    def targets(self, deployment):
        plan, result = deployment["plan"], {}
        for name, status in plan["targets"].items():
            target = {
                "deploymentId": deployment["info"]["deploymentId"], "targetId": name, "targetArn": f"arn:aws:ec2:eu-central-1:111122223333:instance/{name}", "status": status,
                "lastUpdatedAt": self.service.now, "lifecycleEvents": [], **({} if plan["inPlace"] else {"instanceLabel": "Green"})}
            result[name] = {"deploymentTargetType": "InstanceTarget", "instanceTarget": target}
        return result

    def serving(self, resource):
        registered = [s for s in self.instances.values() if s["registered"]]
        return [{"namespace": "AWS/ApplicationELB", "share": 1 / len(registered), "versions": s["names"], "dimensions": [{"LoadBalancer": resource}]} for s in registered]
