"""CodeDeploy on Lambda, ECS and servers."""

import hashlib
import json
import time

from harness import DoubleTest, client

ROLE = "arn:aws:iam::111122223333:role/codedeploy"
DONE = ("Succeeded", "Failed", "Stopped")


def app_spec(current="1", target="2", alias="live"):
    return content({"version": 0.0, "Resources": [{"api": {"Type": "AWS::Lambda::Function", "Properties": {"Name": "api", "Alias": alias, "CurrentVersion": current, "TargetVersion": target}}}]})


def content(document):
    text = json.dumps(document)
    return {"revisionType": "AppSpecContent", "appSpecContent": {"content": text, "sha256": hashlib.sha256(text.encode()).hexdigest()}}


def tasks(definition):
    return content({"version": 1, "Resources": [{"TargetService": {"Type": "AWS::ECS::Service", "Properties": {"TaskDefinition": definition, "LoadBalancerInfo": {"ContainerName": "api", "ContainerPort": 80}}}}]})


def bundle(key):
    return {"revisionType": "S3", "s3Location": {"bucket": "releases", "key": key, "bundleType": "zip"}}


class CodeDeployTest(DoubleTest):
    def setUp(self):
        super().setUp()
        self.deploy = client("codedeploy")
        self.admin("POST", "settings", {"codedeployStepSeconds": 0.01, "minuteSeconds": 0.1})

    def app(self, name, platform, **group):
        self.deploy.create_application(applicationName=name, computePlatform=platform)
        self.deploy.create_deployment_group(applicationName=name, deploymentGroupName="all", serviceRoleArn=ROLE, **group)

    def start(self, name, revision, **more):
        return self.deploy.create_deployment(applicationName=name, deploymentGroupName="all", revision=revision, **more)["deploymentId"]

    def info(self, identifier):
        return self.deploy.get_deployment(deploymentId=identifier)["deploymentInfo"]

    def until(self, identifier, *statuses):
        deadline = time.monotonic() + 10
        while self.info(identifier)["status"] not in statuses:
            self.assertLess(time.monotonic(), deadline, self.info(identifier))
        return self.info(identifier)

    def group(self, name):
        return self.deploy.get_deployment_group(applicationName=name, deploymentGroupName="all")["deploymentGroupInfo"]

    def target(self, identifier):
        ids = self.deploy.list_deployment_targets(deploymentId=identifier)["targetIds"]
        return self.deploy.batch_get_deployment_targets(deploymentId=identifier, targetIds=ids)["deploymentTargets"]


class LambdaTest(CodeDeployTest):
    def setUp(self):
        super().setUp()
        self.admin("POST", "lambda/functions", {"name": "api", "codes": ["1", "2"], "aliases": {"live": "1"}})
        self.app("api", "Lambda")
        self.deploy.create_deployment_config(deploymentConfigName="slow", computePlatform="Lambda", trafficRoutingConfig={"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 10, "canaryInterval": 600}})

    def live(self):
        return client("lambda").get_alias(FunctionName="api", Name="live")

    def test_all_at_once(self):
        identifier = self.start("api", app_spec(), description="operation 7")
        info = self.until(identifier, *DONE)
        self.assertEqual(("Succeeded", "operation 7", "user", "Lambda"), tuple(info[k] for k in ("status", "description", "creator", "computePlatform")))
        self.assertEqual("2", self.live()["FunctionVersion"])
        self.assertEqual(identifier, self.group("api")["lastSuccessfulDeployment"]["deploymentId"])
        self.assertEqual(app_spec(), self.group("api")["targetRevision"])
        self.assertEqual(1, self.target(identifier)[0]["lambdaTarget"]["lambdaFunctionInfo"]["targetVersionWeight"])
        self.assertEqual([identifier], self.deploy.list_deployments(applicationName="api", deploymentGroupName="all", includeOnlyStatuses=["Succeeded"])["deployments"])
        self.assertEqual(["operation 7"], [d["description"] for d in self.deploy.batch_get_deployments(deploymentIds=[identifier, "d-NONE"])["deploymentsInfo"]])
        revision = self.deploy.get_application_revision(applicationName="api", revision=app_spec())
        self.assertEqual(["all"], revision["revisionInfo"]["deploymentGroups"])

    def test_a_canary_holds_its_share_and_stopping_alone_leaves_it(self):
        identifier = self.start("api", app_spec(), deploymentConfigName="slow")
        self.fails("DeploymentLimitExceededException", 400, self.deploy.create_deployment, applicationName="api", deploymentGroupName="all", revision=app_spec())
        deadline = time.monotonic() + 10
        while "RoutingConfig" not in self.live():
            self.assertLess(time.monotonic(), deadline)
        self.assertEqual({"2": 0.1}, self.live()["RoutingConfig"]["AdditionalVersionWeights"])
        self.assertEqual(0.1, self.target(identifier)[0]["lambdaTarget"]["lambdaFunctionInfo"]["targetVersionWeight"])
        self.fails("UnsupportedActionForDeploymentTypeException", 400, self.deploy.continue_deployment, deploymentId=identifier)
        self.deploy.stop_deployment(deploymentId=identifier, autoRollbackEnabled=False)
        self.assertEqual(("Stopped", "MANUAL_STOP"), (self.info(identifier)["status"], self.info(identifier)["errorInformation"]["code"]))
        self.assertEqual({"2": 0.1}, self.live()["RoutingConfig"]["AdditionalVersionWeights"])
        self.fails("DeploymentAlreadyCompletedException", 400, self.deploy.stop_deployment, deploymentId=identifier)

    def test_stopping_with_rollback_makes_another_deployment(self):
        before = self.world.snapshot("lambda")
        identifier = self.start("api", app_spec(), deploymentConfigName="slow")
        self.until(identifier, "InProgress")
        self.deploy.stop_deployment(deploymentId=identifier, autoRollbackEnabled=True)
        undoing = self.info(identifier)["rollbackInfo"]["rollbackDeploymentId"]
        info = self.until(undoing, *DONE)
        self.assertEqual(("Succeeded", "codeDeployRollback", identifier), (info["status"], info["creator"], info["rollbackInfo"]["rollbackTriggeringDeploymentId"]))
        self.assertEqual(before, self.world.snapshot("lambda"))

    def test_linear_steps_and_an_alarm_that_ends_them(self):
        self.app("watched", "Lambda", alarmConfiguration={"enabled": True, "alarms": [{"name": "bad"}]}, autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_STOP_ON_ALARM"]})
        client("cloudwatch").put_metric_alarm(AlarmName="bad", Namespace="n", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold")
        identifier = self.start("watched", app_spec(), deploymentConfigName="CodeDeployDefault.LambdaLinear10PercentEvery1Minute")
        deadline, seen = time.monotonic() + 10, set()
        while len(seen) < 3:
            self.assertLess(time.monotonic(), deadline)
            seen.update(self.live().get("RoutingConfig", {}).get("AdditionalVersionWeights", {}).values())
        self.assertLessEqual(seen, {n / 10 for n in range(1, 10)})
        client("cloudwatch").set_alarm_state(AlarmName="bad", StateValue="ALARM", StateReason="test")
        info = self.until(identifier, *DONE)
        self.assertEqual(("Stopped", "ALARM_ACTIVE"), (info["status"], info["errorInformation"]["code"]))
        self.until(info["rollbackInfo"]["rollbackDeploymentId"], "Succeeded")
        self.assertEqual("1", self.live()["FunctionVersion"])

    def test_what_makes_a_deployment_fail(self):
        moved = client("lambda", key="AKIDSOMEBODY")
        for revision, code in (
            (app_spec(current="2", target="1"), "INVALID_LAMBDA_CONFIGURATION"), (app_spec(target="1"), "INVALID_LAMBDA_CONFIGURATION"), (app_spec(target="9"), "INVALID_LAMBDA_FUNCTION"),
            (app_spec(alias="none"), "INVALID_LAMBDA_FUNCTION"), (content({"Resources": []}), "INVALID_REVISION"), (bundle("none.json"), "REVISION_MISSING"),
        ):
            info = self.until(self.start("api", revision), *DONE)
            self.assertEqual(("Failed", code), (info["status"], info["errorInformation"]["code"]))
        moved.update_alias(FunctionName="api", Name="live", FunctionVersion="2")
        self.assertEqual("Failed", self.until(self.start("api", app_spec()), *DONE)["status"])

    def test_what_it_does_not_take(self):
        create = self.deploy.create_deployment
        self.fails("ApplicationDoesNotExistException", 400, create, applicationName="none", deploymentGroupName="all", revision=app_spec())
        self.fails("DeploymentGroupDoesNotExistException", 400, create, applicationName="api", deploymentGroupName="none", revision=app_spec())
        self.fails("DeploymentGroupNameRequiredException", 400, create, applicationName="api", revision=app_spec())
        self.fails("RevisionRequiredException", 400, create, applicationName="api", deploymentGroupName="all")
        self.fails("InvalidRevisionException", 400, create, applicationName="api", deploymentGroupName="all", revision={"revisionType": "S3"})
        self.fails("DeploymentConfigDoesNotExistException", 400, create, applicationName="api", deploymentGroupName="all", revision=app_spec(), deploymentConfigName="none")
        self.fails("InvalidDeploymentConfigNameException", 400, create, applicationName="api", deploymentGroupName="all", revision=app_spec(), deploymentConfigName="CodeDeployDefault.ECSAllAtOnce")
        self.fails("DeploymentDoesNotExistException", 400, self.deploy.get_deployment, deploymentId="d-NONE")
        self.fails("DeploymentDoesNotExistException", 400, self.deploy.continue_deployment, deploymentId="d-NONE")
        self.fails("BatchLimitExceededException", 400, self.deploy.batch_get_deployments, deploymentIds=["d-NONE"] * 26)
        self.fails("RevisionDoesNotExistException", 400, self.deploy.get_application_revision, applicationName="api", revision=app_spec())
        self.admin("POST", "settings", {"codedeployStepSeconds": 600})
        identifier = self.start("api", app_spec())
        self.fails("DeploymentNotStartedException", 400, self.deploy.list_deployment_targets, deploymentId=identifier)
        self.deploy.stop_deployment(deploymentId=identifier, autoRollbackEnabled=True)
        self.assertNotIn("rollbackDeploymentId", self.info(identifier)["rollbackInfo"])
        self.admin("POST", "faults", {"service": "codedeploy", "kind": "throttle"})
        self.fails("ThrottlingException", 400, self.deploy.list_deployments)

    def test_the_command_line_does_all_of_it(self):
        spec = json.dumps(app_spec())
        printed = self.commands(
            "deploy",
            ["create-application", "--application-name", "cli", "--compute-platform", "Lambda"],
            ["create-deployment-group", "--application-name", "cli", "--deployment-group-name", "all", "--service-role-arn", ROLE],
            ["create-deployment-config", "--deployment-config-name", "c", "--compute-platform", "Lambda", "--traffic-routing-config", "type=AllAtOnce"],
            ["get-application", "--application-name", "cli"],
            ["get-deployment-group", "--application-name", "cli", "--deployment-group-name", "all"],
            ["get-deployment-config", "--deployment-config-name", "c"],
            ["register-application-revision", "--application-name", "cli", "--revision", spec],
            ["get-application-revision", "--application-name", "cli", "--revision", spec],
            ["create-deployment", "--application-name", "cli", "--deployment-group-name", "all", "--revision", spec, "--deployment-config-name", "slow"],
        )
        identifier = printed[-1]["deploymentId"]
        self.until(identifier, "InProgress")
        printed = self.commands(
            "deploy",
            ["get-deployment", "--deployment-id", identifier], ["list-deployments", "--application-name", "cli", "--deployment-group-name", "all"],
            ["batch-get-deployments", "--deployment-ids", identifier], ["list-deployment-targets", "--deployment-id", identifier],
            ["batch-get-deployment-targets", "--deployment-id", identifier, "--target-ids", "api:live"],
            ["stop-deployment", "--deployment-id", identifier, "--auto-rollback-enabled"],
        )
        self.assertEqual(["api:live"], printed[3]["targetIds"])
        code, error = self.aws("deploy", "continue-deployment", "--deployment-id", identifier, "--deployment-wait-type", "READY_WAIT")
        self.assertEqual(254, code)
        self.assertIn("DeploymentAlreadyCompletedException", error)


class EcsTest(CodeDeployTest):
    def setUp(self):
        super().setUp()
        pair = {"targetGroups": [{"name": "one"}, {"name": "two"}], "prodTrafficRoute": {"listenerArns": ["arn:aws:elasticloadbalancing:eu-central-1:111122223333:listener/app/api/1/2"]}}
        self.app(
            "api", "ECS", ecsServices=[{"clusterName": "c", "serviceName": "s"}], loadBalancerInfo={"targetGroupPairInfoList": [pair]},
            blueGreenDeploymentConfiguration={"deploymentReadyOption": {"actionOnTimeout": "STOP_DEPLOYMENT", "waitTimeInMinutes": 600}, "terminateBlueInstancesOnDeploymentSuccess": {"action": "TERMINATE", "terminationWaitTimeInMinutes": 600}})
        self.admin("POST", "codedeploy/task-set", {"application": "api", "group": "all", "taskDefinition": "api:1"})

    def weights(self, identifier):
        return {t["taskSetLabel"]: t["trafficWeight"] for t in self.target(identifier)[0]["ecsTarget"]["taskSetsInfo"]}

    def test_it_waits_twice_and_is_continued(self):
        identifier = self.start("api", tasks("api:2"))
        self.until(identifier, "Ready")
        self.assertEqual({"Blue": 100, "Green": 0}, self.weights(identifier))
        self.fails("DeploymentIsNotInReadyStateException", 400, self.deploy.continue_deployment, deploymentId=identifier, deploymentWaitType="TERMINATION_WAIT")
        self.deploy.continue_deployment(deploymentId=identifier, deploymentWaitType="READY_WAIT")
        self.assertTrue(self.until(identifier, "Baking")["instanceTerminationWaitTimeStarted"])
        self.assertEqual({"Blue": 0, "Green": 100}, self.weights(identifier))
        self.deploy.continue_deployment(deploymentId=identifier, deploymentWaitType="TERMINATION_WAIT")
        self.until(identifier, "Succeeded")
        again = self.start("api", tasks("api:1"))
        self.until(again, "Ready")
        self.assertEqual(tasks("api:2"), self.info(again)["previousRevision"])

    def test_stopped_while_baking_it_goes_back_at_once(self):
        before = self.world.snapshot("codedeploy", history=False)
        identifier = self.start("api", tasks("api:2"))
        self.until(identifier, "Ready")
        self.deploy.continue_deployment(deploymentId=identifier)
        self.until(identifier, "Baking")
        self.deploy.stop_deployment(deploymentId=identifier, autoRollbackEnabled=True)
        self.until(self.info(identifier)["rollbackInfo"]["rollbackDeploymentId"], "Succeeded")
        self.assertEqual(before, self.world.snapshot("codedeploy", history=False))

    def test_nobody_continues_it(self):
        self.admin("POST", "settings", {"minuteSeconds": 0.0001})
        info = self.until(self.start("api", tasks("api:2")), *DONE)
        self.assertEqual(("Stopped", "TIMEOUT"), (info["status"], info["errorInformation"]["code"]))

    def test_its_load_is_counted_by_target_group(self):
        self.admin("POST", "load", {"kind": "codedeploy", "resource": "api/all", "requestsPerSecond": 10, "errorRate": {"api:2": 1}})
        identifier = self.start("api", tasks("api:2"))
        self.until(identifier, "Ready")
        self.deploy.continue_deployment(deploymentId=identifier)
        self.until(identifier, "Baking")
        now = time.time()
        of = lambda group: sum(n for _, n in self.world.loads.samples("AWS/ApplicationELB", "RequestCount", {"TargetGroup": group}, now + 60, now + 120))
        self.assertEqual((0, 600), (of("one"), of("two")))
        self.assertEqual(600, sum(v * n for v, n in self.world.loads.samples("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", {"LoadBalancer": "api/all"}, now + 60, now + 120)))


class ServerTest(CodeDeployTest):
    def made(self, **group):
        self.app("shop", "Server", **group)
        self.admin("POST", "codedeploy/instances", {"application": "shop", "group": "all", "instances": ["i-1", "i-2", "i-3", "i-4"], "revision": "old"})

    def running(self):
        return {i: s["revision"] for i, s in self.world.services["codedeploy"].state["applications"]["shop"]["groups"]["all"]["instances"].items() if s["registered"]}

    def test_in_place_all_of_them_change(self):
        self.made(deploymentConfigName="CodeDeployDefault.HalfAtATime")
        info = self.until(self.start("shop", bundle("2.zip")), *DONE)
        self.assertEqual(("Succeeded", 4), (info["status"], info["deploymentOverview"]["Succeeded"]))
        self.assertEqual({"releases/2.zip"}, set(self.running().values()))

    def test_failing_instances_leave_a_mixture_that_only_a_rollback_ends(self):
        self.made(deploymentConfigName="CodeDeployDefault.OneAtATime", autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_FAILURE"]})
        before = self.running()
        self.admin("POST", "codedeploy/failing", {"application": "shop", "group": "all", "targets": ["i-2", "i-3"]})
        info = self.until(self.start("shop", bundle("2.zip")), *DONE)
        self.assertEqual(("Failed", "HEALTH_CONSTRAINTS"), (info["status"], info["errorInformation"]["code"]))
        self.until(info["rollbackInfo"]["rollbackDeploymentId"], "Succeeded")
        self.assertEqual(before, self.running())

    def test_all_at_once_succeeds_if_one_instance_did(self):
        self.made(deploymentConfigName="CodeDeployDefault.AllAtOnce")
        self.admin("POST", "codedeploy/failing", {"application": "shop", "group": "all", "targets": ["i-1", "i-2", "i-3"]})
        info = self.until(self.start("shop", bundle("2.zip")), *DONE)
        self.assertEqual(("Succeeded", 1, 3), (info["status"], info["deploymentOverview"]["Succeeded"], info["deploymentOverview"]["Failed"]))
        self.admin("POST", "codedeploy/failing", {"application": "shop", "group": "all"})
        self.assertEqual("Failed", self.until(self.start("shop", bundle("3.zip")), *DONE)["status"])

    def test_blue_green_reroutes_to_replacements_and_back(self):
        self.made(
            deploymentConfigName="CodeDeployDefault.AllAtOnce", deploymentStyle={"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}, loadBalancerInfo={"targetGroupInfoList": [{"name": "t"}]},
            blueGreenDeploymentConfiguration={"deploymentReadyOption": {"actionOnTimeout": "STOP_DEPLOYMENT", "waitTimeInMinutes": 600}, "terminateBlueInstancesOnDeploymentSuccess": {"action": "TERMINATE", "terminationWaitTimeInMinutes": 600}})
        before = self.running()
        identifier = self.start("shop", bundle("2.zip"))
        self.until(identifier, "Ready")
        self.assertEqual(before, self.running())
        self.deploy.continue_deployment(deploymentId=identifier, deploymentWaitType="READY_WAIT")
        self.until(identifier, "Baking")
        self.assertEqual(["releases/2.zip"] * 4, list(self.running().values()))
        self.deploy.stop_deployment(deploymentId=identifier, autoRollbackEnabled=True)
        self.until(self.info(identifier)["rollbackInfo"]["rollbackDeploymentId"], "Succeeded")
        self.assertEqual(before, self.running())
