"""The life of CodeDeploy's deployments: a row of steps, each with its own moment."""

from wire.errors import AwsError

from .platform_ecs import Ecs
from .platform_lambda import LambdaAlias
from .platform_server import Servers
from .revisions import Failure, checked
from .service import identifier

ACTIVE = ("Created", "Queued", "InProgress", "Baking", "Ready")
COPIED = ("deploymentStyle", "blueGreenDeploymentConfiguration", "loadBalancerInfo", "autoRollbackConfiguration", "computePlatform")


class Deployments:
    def platform(self, group):
        return {"Lambda": LambdaAlias, "ECS": Ecs, "Server": Servers}[group["info"]["computePlatform"]](self, group)

    def CreateDeployment(self, p):
        application, group = self.application(p), self.group(p)
        revision = p.get("revision") or group["info"].get("targetRevision")
        if not revision:
            raise AwsError("RevisionRequiredException", "The revision is required.")
        config = self.configuration(p.get("deploymentConfigName", group["info"]["deploymentConfigName"]))
        if config["computePlatform"] != group["info"]["computePlatform"]:
            raise AwsError("InvalidDeploymentConfigNameException", f"{config['deploymentConfigName']} is for {config['computePlatform']}.")
        checked(revision)
        active = self.active(p["applicationName"], p["deploymentGroupName"])
        if active:
            raise AwsError("DeploymentLimitExceededException", f"The Deployment Group '{p['deploymentGroupName']}' already has an active Deployment '{active['info']['deploymentId']}'")
        self.register(application, revision, group=p["deploymentGroupName"])
        deployment = self.make(p["applicationName"], p["deploymentGroupName"], revision, config["deploymentConfigName"], "user", self.now)
        deployment["info"].update({k: p[k] for k in ("description", "autoRollbackConfiguration", "overrideAlarmConfiguration") if k in p})
        return {"deploymentId": deployment["info"]["deploymentId"]}

    def make(self, application, group_name, revision, config, creator, now):
        group = self.state["applications"][application]["groups"][group_name]
        info = {
            "applicationName": application, "deploymentGroupName": group_name, "deploymentConfigName": config, "deploymentId": identifier(9, "d-"), "revision": revision,
            "status": "Created", "createTime": now, "creator": creator, "ignoreApplicationStopFailures": False, "updateOutdatedInstancesOnly": False,
            **{k: group["info"][k] for k in COPIED if k in group["info"]},
        }
        if group.get("successful"):
            info["previousRevision"] = group["successful"]
        deployment = {"info": info, "steps": [["queue", 0, None], ["begin", self.step_seconds(), None]], "due": now + self.step_seconds(), "waiting": None, "plan": None, "undoes": None}
        self.state["deployments"][info["deploymentId"]] = deployment
        group["info"].update(targetRevision=revision, lastAttemptedDeployment=last(info))
        return deployment

    def step_seconds(self):
        return self.world.settings["codedeployStepSeconds"]

    def minutes(self, number):
        return number * self.world.settings["minuteSeconds"]

    def active(self, application, group):
        return next((d for d in self.state["deployments"].values() if d["info"]["status"] in ACTIVE and (d["info"]["applicationName"], d["info"]["deploymentGroupName"]) == (application, group)), None)

    def group_of(self, deployment):
        return self.state["applications"][deployment["info"]["applicationName"]]["groups"][deployment["info"]["deploymentGroupName"]]

    # By itself

    def advance(self, now):
        while True:
            moving = [d for d in self.state["deployments"].values() if d["info"]["status"] in ACTIVE]
            for deployment in moving:
                self.heed_alarms(deployment, min(now, deployment["due"] or now))
            due = [d for d in moving if d["info"]["status"] in ACTIVE and d["due"] is not None and d["due"] <= now]
            if not due:
                return
            self.go_on(min(due, key=lambda d: d["due"]))

    def go_on(self, deployment):
        at, info = deployment["due"], deployment["info"]
        if deployment["waiting"] == "READY_WAIT":
            self.end(deployment, "Stopped", at, "TIMEOUT", "The deployment was not continued in time.", "DEPLOYMENT_FAILURE")
            return
        deployment["waiting"] = None
        action, _, argument = deployment["steps"].pop(0)
        try:
            self.do(deployment, action, argument, at)
        except Failure as failure:
            self.end(deployment, "Failed", at, failure.code, failure.message, "DEPLOYMENT_FAILURE")
        if info["status"] in ACTIVE and deployment["waiting"] is None:
            deployment["due"] = at + deployment["steps"][0][1] if deployment["steps"] else None
        self.noted(deployment)
        self.world.loads.observe(at)

    def noted(self, deployment):
        group = self.group_of(deployment)["info"]
        if group["lastAttemptedDeployment"]["deploymentId"] == deployment["info"]["deploymentId"]:
            group["lastAttemptedDeployment"] = last(deployment["info"])

    def do(self, deployment, action, argument, at):
        info, group = deployment["info"], self.group_of(deployment)
        platform = self.platform(group)
        if action == "queue":
            info["status"] = "Queued"
        elif action == "begin":
            info.update(status="InProgress", startTime=at)
            original = self.state["deployments"].get(deployment["undoes"])
            deployment["plan"] = dict(original["plan"]) if original else None
            deployment["steps"] = platform.undo(deployment) if original else platform.begin(deployment)
        elif action == "ready":
            info["status"], deployment["waiting"], deployment["due"] = "Ready", "READY_WAIT", at + argument
        elif action == "terminate":
            info.update(status="Baking", instanceTerminationWaitTimeStarted=True)
            deployment["waiting"], deployment["due"] = "TERMINATION_WAIT", at + argument
        elif action == "finish":
            info.update(status="Succeeded", completeTime=at)
            group["successful"] = info["revision"]
            group["info"]["lastSuccessfulDeployment"] = last(info)
        else:
            getattr(platform, action)(deployment, argument)

    def heed_alarms(self, deployment, at):
        info = deployment["info"]
        if info["status"] not in ("InProgress", "Ready", "Baking") or deployment["undoes"]:
            return
        alarms = info.get("overrideAlarmConfiguration") or self.group_of(deployment)["info"].get("alarmConfiguration", {})
        firing = [a["name"] for a in alarms.get("alarms", []) if alarms.get("enabled") and self.world.services["cloudwatch"].alarm_state(a["name"], at) == "ALARM"]
        if firing:
            self.end(deployment, "Stopped", at, "ALARM_ACTIVE", f"One or more alarms have been activated according to the Amazon CloudWatch metrics you selected: {', '.join(firing)}", "DEPLOYMENT_STOP_ON_ALARM")

    def end(self, deployment, status, at, code, message, event, roll_back=None):
        info = deployment["info"]
        info.update(status=status, completeTime=at, errorInformation={"code": code, "message": message})
        deployment.update(due=None, waiting=None, steps=[])
        self.platform(self.group_of(deployment)).stopped(deployment)
        self.noted(deployment)
        automatic = info.get("autoRollbackConfiguration", {})
        wanted = roll_back or (automatic.get("enabled") and event in automatic.get("events", []))
        if wanted and deployment["plan"] and not deployment["undoes"]:
            self.roll_back(deployment, at)
        elif wanted and not deployment["undoes"]:
            info["rollbackInfo"] = {"rollbackMessage": "There is nothing to roll back."}

    def roll_back(self, deployment, at):
        """A deployment of its own: that the first has stopped does not mean that anything is as it was."""
        info = deployment["info"]
        revision = self.group_of(deployment).get("successful") or info["revision"]
        undoing = self.make(info["applicationName"], info["deploymentGroupName"], revision, info["deploymentConfigName"], "codeDeployRollback", at)
        undoing["undoes"] = info["deploymentId"]
        undoing["info"]["rollbackInfo"] = {"rollbackTriggeringDeploymentId": info["deploymentId"]}
        info["rollbackInfo"] = {"rollbackDeploymentId": undoing["info"]["deploymentId"], "rollbackMessage": f"Deployment {info['deploymentId']} was rolled back by {undoing['info']['deploymentId']}."}

    # Asked for

    def ContinueDeployment(self, p):
        deployment = self.deployment(p)
        info, kind = deployment["info"], p.get("deploymentWaitType", "READY_WAIT")
        if info["status"] not in ACTIVE:
            raise AwsError("DeploymentAlreadyCompletedException", f"The deployment {info['deploymentId']} is completed.")
        if info["computePlatform"] == "Lambda" or info["deploymentStyle"]["deploymentType"] != "BLUE_GREEN":
            raise AwsError("UnsupportedActionForDeploymentTypeException", "Only blue/green deployments of instances and ECS wait.")
        if deployment["waiting"] != kind:
            raise AwsError("DeploymentIsNotInReadyStateException", f"The deployment does not wait for {kind}.")
        info["status"] = "InProgress"
        deployment.update(waiting=None, due=self.now)
        return {}

    def StopDeployment(self, p):
        deployment = self.deployment(p)
        info = deployment["info"]
        if info["status"] not in ACTIVE:
            raise AwsError("DeploymentAlreadyCompletedException", f"The deployment {info['deploymentId']} is completed.")
        self.end(deployment, "Stopped", self.now, "MANUAL_STOP", "The deployment was stopped by a user.", "DEPLOYMENT_STOP_ON_REQUEST", p.get("autoRollbackEnabled"))
        return {"status": "Succeeded", "statusMessage": "No more commands will be scheduled for execution in the deployment"}

    def GetDeployment(self, p):
        return {"deploymentInfo": self.told(self.deployment(p))}

    def BatchGetDeployments(self, p):
        if len(p["deploymentIds"]) > 25:
            raise AwsError("BatchLimitExceededException", "At most 25 deployments may be asked for.")
        return {"deploymentsInfo": [self.told(self.state["deployments"][i]) for i in p["deploymentIds"] if i in self.state["deployments"]]}

    def ListDeploymentTargets(self, p):
        return {"targetIds": list(self.targets(self.deployment(p)))}

    def BatchGetDeploymentTargets(self, p):
        targets, wanted = self.targets(self.deployment(p)), p.get("targetIds")
        if not wanted:
            raise AwsError("DeploymentTargetIdRequiredException", "A deployment target ID was not provided.")
        if len(wanted) > 25:
            raise AwsError("DeploymentTargetListSizeExceededException", "At most 25 targets may be asked for.")
        unknown = [i for i in wanted if i not in targets]
        if unknown:
            raise AwsError("DeploymentTargetDoesNotExistException", f"The provided target IDs do not belong to the attempted deployment: {unknown}")
        return {"deploymentTargets": [targets[i] for i in wanted]}

    def targets(self, deployment):
        if deployment["plan"] is None:
            raise AwsError("DeploymentNotStartedException", "The specified deployment has not started.")
        return self.platform(self.group_of(deployment)).targets(deployment)

    def told(self, deployment):
        counts = dict.fromkeys(("Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready"), 0)
        for target in self.targets(deployment).values() if deployment["plan"] else ():
            counts[next(v for k, v in target.items() if k != "deploymentTargetType")["status"]] += 1
        return {**deployment["info"], "deploymentOverview": counts}

    def deployment(self, p):
        if "deploymentId" not in p:
            raise AwsError("DeploymentIdRequiredException", "The deployment ID is required.")
        if p["deploymentId"] not in self.state["deployments"]:
            raise AwsError("DeploymentDoesNotExistException", f"The deployment {p['deploymentId']} could not be found.")
        return self.state["deployments"][p["deploymentId"]]


def last(info):
    return {"deploymentId": info["deploymentId"], "status": info["status"], "createTime": info["createTime"], **({"endTime": info["completeTime"]} if "completeTime" in info else {})}
