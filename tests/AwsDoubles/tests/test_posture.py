"""Trails, Security Hub, Access Analyzer, and what keeps buckets private."""

import socket
from unittest import mock

from botocore.config import Config
from harness import KEYS, SERVER, SESSION, DoubleTest, client

FINDING = {
    "SchemaVersion": "2018-10-08", "Id": "one", "ProductArn": "arn:aws:securityhub:eu-central-1::product/aws/securityhub", "GeneratorId": "S3.8", "AwsAccountId": "111122223333",
    "CreatedAt": "2026-11-01T00:00:00.000Z", "UpdatedAt": "2026-11-01T00:00:00.000Z", "Severity": {"Label": "HIGH"}, "Title": "S3 buckets should be private", "Description": "A bucket is public",
    "Resources": [{"Type": "AwsS3Bucket", "Id": "arn:aws:s3:::open"}],
}


class TrailTest(DoubleTest):
    def test_a_trail_is_made_started_and_stopped(self):
        trail = client("cloudtrail")
        made = trail.create_trail(Name="ota", S3BucketName="trail", IsMultiRegionTrail=True)
        self.assertFalse(trail.get_trail_status(Name="ota")["IsLogging"])
        trail.start_logging(Name=made["TrailARN"])
        status = trail.get_trail_status(Name="ota")
        self.assertTrue(status["IsLogging"] and status["LatestDeliveryTime"])
        trail.update_trail(Name="ota", EnableLogFileValidation=True)
        self.assertEqual([(True, True)], [(it["IsMultiRegionTrail"], it["LogFileValidationEnabled"]) for it in trail.describe_trails()["trailList"]])
        self.admin("POST", "cloudtrail/delivery", {"trail": "ota", "error": "AccessDenied"})
        trail.stop_logging(Name="ota")
        status = trail.get_trail_status(Name="ota")
        self.assertEqual((False, "AccessDenied"), (status["IsLogging"], status["LatestDeliveryError"]))
        self.fails("TrailNotFoundException", 400, trail.get_trail_status, Name="none")
        self.fails("TrailAlreadyExistsException", 400, trail.create_trail, Name="ota", S3BucketName="trail")
        self.commands("cloudtrail", ["describe-trails"], ["get-trail-status", "--name", "ota"])


class SecurityHubTest(DoubleTest):
    def setUp(self):
        super().setUp()
        self.hub = client("securityhub")

    def find(self, **filters):
        return [f["Id"] for f in self.hub.get_findings(Filters=filters)["Findings"]]

    def test_nothing_is_said_before_it_is_enabled(self):
        self.fails("InvalidAccessException", 401, self.hub.describe_hub)
        self.fails("InvalidAccessException", 401, self.hub.get_findings)
        self.hub.enable_security_hub()
        self.assertIn("hub/default", self.hub.describe_hub()["HubArn"])
        self.assertEqual([], self.find())

    def test_findings_by_what_they_are_and_when(self):
        self.hub.enable_security_hub()
        newer = {**FINDING, "Id": "two", "CreatedAt": "2026-11-20T00:00:00.000Z", "Severity": {"Label": "LOW"}}
        self.hub.batch_import_findings(Findings=[FINDING, newer])
        self.assertEqual(["one"], self.find(SeverityLabel=[{"Value": "HIGH", "Comparison": "EQUALS"}, {"Value": "CRITICAL", "Comparison": "EQUALS"}]))
        self.assertEqual(["two"], self.find(CreatedAt=[{"Start": "2026-11-10T00:00:00.000Z", "End": "2026-11-30T00:00:00.000Z"}]))
        self.hub.batch_import_findings(Findings=[{**FINDING, "Workflow": {"Status": "RESOLVED"}}])
        self.assertEqual(["two"], self.find(WorkflowStatus=[{"Value": "NEW", "Comparison": "EQUALS"}, {"Value": "NOTIFIED", "Comparison": "EQUALS"}]))
        first = self.hub.get_findings(MaxResults=1)
        self.assertNotEqual(first["Findings"], self.hub.get_findings(MaxResults=1, NextToken=first["NextToken"])["Findings"])
        self.violates("MaxResults", self.hub.get_findings, MaxResults=0)
        self.hub.disable_security_hub()
        self.fails("InvalidAccessException", 401, self.hub.get_findings)

    def test_the_command_line(self):
        self.commands("securityhub", ["enable-security-hub"], ["describe-hub"], ["get-findings"])


class AccessAnalyzerTest(DoubleTest):
    def test_what_is_open_to_others(self):
        analyzer = client("accessanalyzer")
        self.assertEqual([], analyzer.list_analyzers()["analyzers"])
        arn = analyzer.create_analyzer(analyzerName="account", type="ACCOUNT")["arn"]
        self.admin("POST", "accessanalyzer/finding", {"analyzer": "account", "resource": "arn:aws:s3:::open"})
        self.assertEqual(["ACTIVE"], [it["status"] for it in analyzer.list_analyzers(type="ACCOUNT")["analyzers"]])
        found = analyzer.list_findings(analyzerArn=arn, filter={"status": {"eq": ["ACTIVE"]}})["findings"]
        self.assertEqual([("arn:aws:s3:::open", True)], [(it["resource"], it["isPublic"]) for it in found])
        self.assertEqual([], analyzer.list_findings(analyzerArn=arn, filter={"status": {"eq": ["ARCHIVED"]}})["findings"])
        self.fails("ResourceNotFoundException", 404, analyzer.list_findings, analyzerArn=arn + "2")
        self.commands("accessanalyzer", ["list-analyzers"], ["list-findings", "--analyzer-arn", arn])


class PublicAccessTest(DoubleTest):
    ALL = {name: True for name in ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")}

    def test_a_bucket_and_its_lock(self):
        s3 = client("s3")
        where = {"CreateBucketConfiguration": {"LocationConstraint": "eu-central-1"}}
        s3.create_bucket(Bucket="plain", **where)
        s3.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True, **where)
        self.assertEqual(self.ALL, s3.get_public_access_block(Bucket="plain")["PublicAccessBlockConfiguration"])
        s3.put_public_access_block(Bucket="plain", PublicAccessBlockConfiguration={**self.ALL, "BlockPublicPolicy": False})
        self.assertFalse(s3.get_public_access_block(Bucket="plain")["PublicAccessBlockConfiguration"]["BlockPublicPolicy"])
        s3.delete_public_access_block(Bucket="plain")
        self.fails("NoSuchPublicAccessBlockConfiguration", 404, s3.get_public_access_block, Bucket="plain")
        self.fails("ObjectLockConfigurationNotFoundError", 404, s3.get_object_lock_configuration, Bucket="plain")
        rule = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 30}}}
        s3.put_object_lock_configuration(Bucket="locked", ObjectLockConfiguration=rule)
        self.assertEqual(rule, s3.get_object_lock_configuration(Bucket="locked")["ObjectLockConfiguration"])
        self.assertEqual("Enabled", s3.get_bucket_versioning(Bucket="locked")["Status"])
        self.fails("InvalidBucketState", 409, s3.put_object_lock_configuration, Bucket="plain", ObjectLockConfiguration=rule)
        self.assertEqual([], self.world.violations)

    def test_the_whole_account(self):
        control = SESSION.create_client(
            "s3control", "eu-central-1", endpoint_url=SERVER.url.replace("127.0.0.1", "localhost"), aws_access_key_id="AKIDORCHESTRATOR", aws_secret_access_key=KEYS["AKIDORCHESTRATOR"][0],
            config=Config(retries={"max_attempts": 0}, parameter_validation=False))
        resolve = socket.getaddrinfo
        # The account's number stands before the host's name, which a resolver may not know for this machine.
        with mock.patch("socket.getaddrinfo", lambda host, *rest, **named: resolve("127.0.0.1" if host.endswith("localhost") else host, *rest, **named)):
            self.fails("NoSuchPublicAccessBlockConfiguration", 404, control.get_public_access_block, AccountId="111122223333")
            control.put_public_access_block(AccountId="111122223333", PublicAccessBlockConfiguration=self.ALL)
            self.assertEqual(self.ALL, control.get_public_access_block(AccountId="111122223333")["PublicAccessBlockConfiguration"])
            self.fails("AccessDenied", 403, control.get_public_access_block, AccountId="999922223333")
            control.delete_public_access_block(AccountId="111122223333")
            self.fails("NoSuchPublicAccessBlockConfiguration", 404, control.get_public_access_block, AccountId="111122223333")
        self.assertEqual([], self.world.violations)
