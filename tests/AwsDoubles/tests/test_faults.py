"""Bad behaviour on request, as a real client meets it."""

import re
import threading
import time

from botocore.exceptions import ClientError, HTTPClientError
from harness import DoubleTest, client


class FaultTest(DoubleTest):
    def setUp(self):
        super().setUp()
        self.aws_lambda = client("lambda")
        self.admin("POST", "lambda/functions", {"name": "api", "codes": ["1", "2"], "aliases": {"live": "1"}})

    def fault(self, kind, operation="UpdateAlias", **more):
        return self.admin("POST", "faults", {"service": "lambda", "operation": operation, "kind": kind, **more})

    def update(self, to="2", **more):
        return self.aws_lambda.update_alias(FunctionName="api", Name="live", FunctionVersion=to, **more)

    def version(self):
        return self.world.services["lambda"].state["functions"]["api"]["aliases"]["live"]["FunctionVersion"]

    def test_throttled_and_broken_calls_do_not_act(self):
        self.fault("throttle")
        reply = self.fails("TooManyRequestsException", 429, self.update)
        self.assertEqual("1", reply["ResponseMetadata"]["HTTPHeaders"]["retry-after"])
        self.fault("error")
        self.fails("ServiceException", 500, self.update)
        self.update()
        self.assertEqual("2", self.version())

    def test_who_lacks_a_permission_is_told_which(self):
        self.fault("deny")
        self.assertIn("user/ota-orchestrator is not authorized to perform: lambda:UpdateAlias", self.fails("AccessDeniedException", 403, self.update)["Error"]["Message"])

    def test_each_service_throttles_in_its_own_words(self):
        for service, call, code in (("cloudwatch", client("cloudwatch").describe_alarms, "Throttling"), ("cloudtrail", client("cloudtrail").lookup_events, "ThrottlingException")):
            self.admin("POST", "faults", {"service": service, "kind": "throttle"})
            self.fails(code, 400, call)

    def test_times_and_skip_count_calls(self):
        self.fault("throttle", times=2, skip=1)
        self.update()
        self.fails("TooManyRequestsException", 429, self.update)
        self.fails("TooManyRequestsException", 429, self.update)
        self.update("1")
        self.assertEqual([], self.admin("GET", "faults"))

    def test_a_lost_reply_has_acted(self):
        self.fault("lose")
        with self.assertRaises(HTTPClientError):
            self.update()
        self.assertEqual("2", self.version())
        self.assertEqual((None, None), tuple(self.admin("GET", "calls")[-1][k] for k in ("status", "error")))

    def test_a_call_that_times_out_has_acted(self):
        self.fault("timeout")
        with self.assertRaises(HTTPClientError):
            client("lambda", timeout=0.5).update_alias(FunctionName="api", Name="live", FunctionVersion="2")
        self.assertEqual("2", self.version())

    def test_stale_reads_answer_from_before_the_last_write(self):
        self.update()
        self.fails("ResourceNotFoundException", 404, self.update, to="7")
        self.fault("stale", "GetAlias", times=2)
        seen = [self.aws_lambda.get_alias(FunctionName="api", Name="live")["FunctionVersion"] for _ in range(3)]
        self.assertEqual(["1", "1", "2"], seen)

    def test_a_touch_changes_the_revision_and_nothing_else(self):
        before, revision = self.world.snapshot("lambda"), self.aws_lambda.get_alias(FunctionName="api", Name="live")["RevisionId"]
        self.fault("touch")
        self.fails("PreconditionFailedException", 412, self.update, RevisionId=revision)
        self.assertEqual(before, self.world.snapshot("lambda"))

    def test_a_move_is_somebody_elses_change_right_before_the_call(self):
        revision = self.aws_lambda.get_alias(FunctionName="api", Name="live")["RevisionId"]
        change = {"operation": "UpdateAlias", "parameters": {"FunctionName": "api", "Name": "live", "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.5}}}}
        self.fault("move", change=change, user="night-shift")
        with self.assertRaises(ClientError):
            self.update(RevisionId=revision)
        self.assertEqual({"2": 0.5}, self.aws_lambda.get_alias(FunctionName="api", Name="live")["RoutingConfig"]["AdditionalVersionWeights"])
        self.assertEqual(["night-shift"], [e["Username"] for e in client("cloudtrail").lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "UpdateAlias20150331"}])["Events"]][1:])

    def test_a_held_call_waits_before_or_after_it_acts(self):
        for when, acted in (("before", "1"), ("after", "2")):
            self.update("1")
            fault, done = self.fault("hold", when=when), []
            thread = threading.Thread(target=lambda: done.append(self.update()))
            thread.start()
            deadline = time.monotonic() + 10
            while not self.admin("GET", "held"):
                self.assertLess(time.monotonic(), deadline)
            self.assertEqual((acted, [], None), (self.version(), done, self.admin("GET", "calls")[-1]["status"]))
            self.assertEqual([fault["id"]], [entry["id"] for entry in self.admin("POST", "release", {"id": fault["id"]})])
            thread.join(10)
            self.assertEqual((1, "2"), (len(done), self.version()))

    def test_a_dropped_call_has_never_arrived(self):
        fault, failed = self.fault("hold"), []

        def call():
            try:
                self.update()
            except HTTPClientError as error:
                failed.append(error)

        thread = threading.Thread(target=call)
        thread.start()
        deadline = time.monotonic() + 10
        while not self.admin("GET", "held"):
            self.assertLess(time.monotonic(), deadline)
        self.admin("POST", "release", {"id": fault["id"], "drop": True})
        thread.join(10)
        self.assertEqual((1, "1"), (len(failed), self.version()))

    def test_a_fault_may_want_certain_parameters(self):
        self.fault("throttle", parameters={"Name": "other"})
        self.update()
        self.assertEqual(1, len(self.admin("GET", "faults")))
        self.admin("DELETE", "faults")
        self.assertEqual([], self.admin("GET", "faults"))

    def test_snapshots_are_equal_when_only_revisions_differ(self):
        before = self.world.snapshot("lambda")
        self.update()
        self.assertNotEqual(before, self.world.snapshot("lambda"))
        self.update("1")
        self.assertEqual(before, self.admin("GET", "snapshot?service=lambda"))

    def test_snapshots_have_no_dates(self):
        deploy, front, gateway = client("codedeploy"), client("cloudfront"), client("apigateway")
        deploy.create_application(applicationName="shop", computePlatform="Server")
        deploy.create_deployment_group(applicationName="shop", deploymentGroupName="all", serviceRoleArn="arn:aws:iam::111122223333:role/r")
        deploy.create_deployment(applicationName="shop", deploymentGroupName="all", revision={"revisionType": "GitHub", "gitHubLocation": {"repository": "r", "commitId": "c"}})
        origin = {"Id": "o", "DomainName": "d.example.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
        behaviour = {"TargetOriginId": "o", "ViewerProtocolPolicy": "https-only", "CachePolicyId": "p"}
        made = front.create_distribution(DistributionConfig={"CallerReference": "r", "Comment": "", "Enabled": True, "Origins": {"Quantity": 1, "Items": [origin]}, "DefaultCacheBehavior": behaviour})
        front.create_invalidation(DistributionId=made["Distribution"]["Id"], InvalidationBatch={"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": "i"})
        gateway.create_deployment(restApiId=gateway.create_rest_api(name="shop")["id"], stageName="prod")
        client("cloudwatch").put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "Orders", "Value": 1}])
        client("s3").create_bucket(Bucket="b")
        client("s3").put_object(Bucket="b", Key="k", Body=b"x")
        deadline = time.monotonic() + 10
        while deploy.list_deployments(includeOnlyStatuses=["Failed"])["deployments"] == []:
            self.assertLess(time.monotonic(), deadline)

        def moments(value, path):
            if isinstance(value, dict):
                return [found for name, inner in value.items() for found in moments(inner, f"{path}.{name}")]
            if isinstance(value, list):
                return [found for inner in value for found in moments(inner, path)]
            dated = isinstance(value, float) and value > 1e9 or isinstance(value, str) and re.match(r"20\d\d-\d\d-\d\dT", value)
            return [f"{path} {value}"] if dated else []

        self.assertEqual([], moments(self.admin("GET", "snapshot"), ""))
        self.assertEqual(self.admin("GET", "snapshot"), self.admin("GET", "snapshot"))

    def test_somebody_acts_between_calls(self):
        self.admin("POST", "act", {"service": "lambda", "operation": "UpdateAlias", "parameters": {"FunctionName": "api", "Name": "live", "FunctionVersion": "2"}, "user": "me"})
        self.assertEqual(("2", "me"), (self.version(), self.admin("GET", "calls")[-1]["user"]))
