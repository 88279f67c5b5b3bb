"""CloudFront: distributions, continuous deployment, invalidations."""

import json
import time

from harness import DoubleTest, client

METRIC = {"Region": "Global"}


def configuration(reference="primary", path="/1", **more):
    return {
        "CallerReference": reference, "Comment": "firmware", "Enabled": True, "Aliases": {"Quantity": 1, "Items": ["fw.example.com"]},
        "Origins": {"Quantity": 1, "Items": [{"Id": "o", "DomainName": "fw.s3.amazonaws.com", "OriginPath": path, "S3OriginConfig": {"OriginAccessIdentity": ""}}]},
        "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "https-only", "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6"}, **more}


class CloudFrontTest(DoubleTest):
    def setUp(self):
        super().setUp()
        self.front = client("cloudfront")
        made = self.front.create_distribution(DistributionConfig=configuration())
        self.primary, self.etag = made["Distribution"]["Id"], made["ETag"]
        self.assertIn(self.primary, made["Location"])

    def config(self, name):
        reply = self.front.get_distribution_config(Id=name)
        return reply["DistributionConfig"], reply["ETag"]

    def change(self, name, **change):
        config, etag = self.config(name)
        return self.front.update_distribution(Id=name, DistributionConfig={**config, **change}, IfMatch=etag)

    def copy(self, reference="staging", **more):
        return self.front.copy_distribution(**{"PrimaryDistributionId": self.primary, "Staging": True, "IfMatch": self.config(self.primary)[1], "CallerReference": reference, **more})

    def policy(self, staging, weight=0.05, enabled=True, **more):
        return {"StagingDistributionDnsNames": {"Quantity": 1, "Items": [staging]}, "Enabled": enabled, "TrafficConfig": {"Type": "SingleWeight", "SingleWeightConfig": {"Weight": weight, **more}}}

    def staged(self):
        """A staging distribution on /2, with a policy that the primary has."""
        staging = self.copy()["Distribution"]
        config, etag = self.config(staging["Id"])
        config["Origins"]["Items"][0]["OriginPath"] = "/2"
        self.front.update_distribution(Id=staging["Id"], DistributionConfig=config, IfMatch=etag)
        policy = self.front.create_continuous_deployment_policy(ContinuousDeploymentPolicyConfig=self.policy(staging["DomainName"], SessionStickinessConfig={"IdleTTL": 300, "MaximumTTL": 600}))
        identifier = policy["ContinuousDeploymentPolicy"]["Id"]
        self.change(self.primary, ContinuousDeploymentPolicyId=identifier)
        return staging, identifier

    def test_every_write_has_its_etag_and_takes_a_while(self):
        self.admin("POST", "settings", {"cloudfrontPendingReads": 2})
        changed = self.change(self.primary, Comment="two")
        self.assertEqual("InProgress", changed["Distribution"]["Status"])
        self.assertEqual(["InProgress", "InProgress", "Deployed"], [self.front.get_distribution(Id=self.primary)["Distribution"]["Status"] for _ in range(3)])
        config, etag = self.config(self.primary)
        self.assertNotEqual(self.etag, etag)
        self.assertEqual(("two", changed["ETag"]), (config["Comment"], etag))
        update = self.front.update_distribution
        self.fails("PreconditionFailed", 412, update, Id=self.primary, DistributionConfig=config, IfMatch=self.etag)
        self.fails("InvalidIfMatchVersion", 400, update, Id=self.primary, DistributionConfig=config, IfMatch="ENEVERHEARDOF")
        self.fails("InvalidIfMatchVersion", 400, update, Id=self.primary, DistributionConfig=config)
        self.fails("IllegalUpdate", 400, update, Id=self.primary, DistributionConfig={**config, "CallerReference": "x"}, IfMatch=etag)
        self.fails("InconsistentQuantities", 400, update, Id=self.primary, DistributionConfig={**config, "Aliases": {"Quantity": 2, "Items": ["a"]}}, IfMatch=etag)
        self.fails("NoSuchContinuousDeploymentPolicy", 404, update, Id=self.primary, DistributionConfig={**config, "ContinuousDeploymentPolicyId": "none"}, IfMatch=etag)
        self.fails("NoSuchDistribution", 404, self.front.get_distribution, Id="ENONE")
        self.fails("CNAMEAlreadyExists", 409, self.front.create_distribution, DistributionConfig=configuration("other"))
        self.fails("DistributionAlreadyExists", 409, self.front.create_distribution, DistributionConfig=configuration(path="/other"))
        self.assertEqual(self.primary, self.front.get_distribution(Id=self.primary)["Distribution"]["Id"])

    def test_what_was_read_can_be_written_back_unchanged(self):
        before = self.world.snapshot("cloudfront")
        self.change(self.primary)
        self.assertEqual(before, self.world.snapshot("cloudfront"))

    def test_a_copy_is_made_once_for_a_reference(self):
        first = self.copy()
        config = first["Distribution"]["DistributionConfig"]
        self.assertEqual((True, True, 0, "staging"), (config["Staging"], config["Enabled"], config["Aliases"]["Quantity"], config["CallerReference"]))
        self.assertEqual(first["Distribution"]["Id"], self.copy()["Distribution"]["Id"])
        self.change(self.primary, Comment="another")
        self.fails("DistributionAlreadyExists", 409, self.copy)
        self.fails("InvalidArgument", 400, self.copy, Staging=False)
        self.fails("PreconditionFailed", 412, self.copy, IfMatch=self.etag)
        disabled = lambda params, **_: params.update(body=params["body"].replace(b"</Copy", b"<Enabled>false</Enabled></Copy"))  # newer than this botocore
        self.front.meta.events.register("before-call.cloudfront.CopyDistribution", disabled)
        self.assertFalse(self.copy("other")["Distribution"]["DistributionConfig"]["Enabled"])
        self.front.meta.events.unregister("before-call.cloudfront.CopyDistribution", disabled)
        self.change(self.primary, HttpVersion="http2and3")
        self.fails("InvalidArgument", 400, self.copy, CallerReference="third")

    def test_staged_ramped_and_promoted(self):
        staging, policy = self.staged()
        told = self.front.get_continuous_deployment_policy(Id=policy)
        config = told["ContinuousDeploymentPolicy"]["ContinuousDeploymentPolicyConfig"]
        config["TrafficConfig"]["SingleWeightConfig"]["Weight"] = 0.15
        ramped = self.front.update_continuous_deployment_policy(Id=policy, ContinuousDeploymentPolicyConfig=config, IfMatch=told["ETag"])
        self.fails("PreconditionFailed", 412, self.front.update_continuous_deployment_policy, Id=policy, ContinuousDeploymentPolicyConfig=config, IfMatch=told["ETag"])
        etag, other = self.config(self.primary)[1], self.config(staging["Id"])[1]
        promote = self.front.update_distribution_with_staging_config
        self.fails("InvalidIfMatchVersion", 400, promote, Id=self.primary, StagingDistributionId=staging["Id"], IfMatch=etag)
        self.fails("PreconditionFailed", 412, promote, Id=self.primary, StagingDistributionId=staging["Id"], IfMatch=f"{self.etag}, {other}")
        promoted = promote(Id=self.primary, StagingDistributionId=staging["Id"], IfMatch=f"{etag}, {other}")
        config = promoted["Distribution"]["DistributionConfig"]
        self.assertEqual(("/2", "primary", ["fw.example.com"], policy, False), (config["Origins"]["Items"][0]["OriginPath"], config["CallerReference"], config["Aliases"]["Items"], config["ContinuousDeploymentPolicyId"], config["Staging"]))
        self.assertNotEqual(etag, promoted["ETag"])
        after = self.front.get_continuous_deployment_policy_config(Id=policy)
        self.assertFalse(after["ContinuousDeploymentPolicyConfig"]["Enabled"])
        self.assertNotEqual(ramped["ETag"], after["ETag"])

    def test_what_a_policy_may_not_be(self):
        staging, policy = self.staged()
        create, name = self.front.create_continuous_deployment_policy, self.copy("second")["Distribution"]["DomainName"]
        for config in (
            self.policy(name, 0.16), self.policy("none.cloudfront.net"), self.policy(name, SessionStickinessConfig={"IdleTTL": 299, "MaximumTTL": 600}), self.policy(name, SessionStickinessConfig={"IdleTTL": 900, "MaximumTTL": 600}),
            {**self.policy(name), "TrafficConfig": {"Type": "SingleHeader", "SingleHeaderConfig": {"Header": "x-next", "Value": "1"}}}, {**self.policy(name), "TrafficConfig": {"Type": "SingleHeader"}},
        ):
            self.fails("InvalidArgument", 400, create, ContinuousDeploymentPolicyConfig=config)
        self.fails("StagingDistributionInUse", 409, create, ContinuousDeploymentPolicyConfig=self.policy(staging["DomainName"]))
        etag = self.front.get_continuous_deployment_policy(Id=policy)["ETag"]
        self.fails("ContinuousDeploymentPolicyInUse", 409, self.front.delete_continuous_deployment_policy, Id=policy, IfMatch=etag)
        config, current = self.config(self.primary)
        self.fails("InvalidArgument", 400, self.front.update_distribution, Id=self.primary, DistributionConfig={**config, "HttpVersion": "http3"}, IfMatch=current)
        self.assertEqual(1, self.front.list_continuous_deployment_policies()["ContinuousDeploymentPolicyList"]["Quantity"])

    def test_taken_down_in_the_right_order(self):
        staging, policy = self.staged()
        delete = self.front.delete_distribution
        self.fails("DistributionNotDisabled", 409, delete, Id=staging["Id"], IfMatch=self.config(staging["Id"])[1])
        etag = self.change(staging["Id"], Enabled=False)["ETag"]
        self.fails("DistributionNotDisabled", 409, delete, Id=staging["Id"], IfMatch=etag)
        self.front.get_distribution(Id=staging["Id"])
        self.fails("StagingDistributionInUse", 409, delete, Id=staging["Id"], IfMatch=etag)
        self.change(self.primary, ContinuousDeploymentPolicyId="")
        self.front.delete_continuous_deployment_policy(Id=policy, IfMatch=self.front.get_continuous_deployment_policy(Id=policy)["ETag"])
        delete(Id=staging["Id"], IfMatch=etag)
        self.assertEqual([self.primary], [d["Id"] for d in self.front.list_distributions()["DistributionList"]["Items"]])

    def test_its_load_is_counted_by_distribution(self):
        staging, _ = self.staged()
        now = time.time()
        self.world.loads.set({"kind": "cloudfront", "resource": self.primary, "requestsPerSecond": 100, "errorRate": {"/2": 0.2}}, now - 60)
        requests = {d: sum(n for _, n in self.world.loads.samples("AWS/CloudFront", "Requests", {"DistributionId": d, **METRIC}, now - 60, now)) for d in (self.primary, staging["Id"])}
        self.assertEqual({self.primary: 5700, staging["Id"]: 300}, requests)
        samples = self.world.loads.samples("AWS/CloudFront", "5xxErrorRate", {"DistributionId": staging["Id"], **METRIC}, now - 60, now)
        self.assertAlmostEqual(20, sum(v * n for v, n in samples) / sum(n for _, n in samples), delta=1)

    def test_faults_reach_etags(self):
        config, etag = self.config(self.primary)
        self.admin("POST", "faults", {"service": "cloudfront", "operation": "UpdateDistribution", "kind": "touch"})
        self.fails("PreconditionFailed", 412, self.front.update_distribution, Id=self.primary, DistributionConfig=config, IfMatch=etag)
        self.admin("POST", "faults", {"service": "cloudfront", "kind": "throttle"})
        self.fails("Throttling", 400, self.front.list_distributions)
        self.violates("enum value set", self.front.update_distribution, Id=self.primary, DistributionConfig={**config, "PriceClass": "Cheap"}, IfMatch=etag)

    def test_invalidations_end_and_are_made_once(self):
        batch = {"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": "one"}
        made = self.front.create_invalidation(DistributionId=self.primary, InvalidationBatch=batch)["Invalidation"]
        self.assertEqual(made["Id"], self.front.create_invalidation(DistributionId=self.primary, InvalidationBatch=batch)["Invalidation"]["Id"])
        self.assertEqual(["InProgress", "Completed"], [self.front.get_invalidation(DistributionId=self.primary, Id=made["Id"])["Invalidation"]["Status"] for _ in range(2)])
        self.fails("InvalidArgument", 400, self.front.create_invalidation, DistributionId=self.primary, InvalidationBatch={**batch, "Paths": {"Quantity": 1, "Items": ["no-slash"]}})
        self.fails("NoSuchInvalidation", 404, self.front.get_invalidation, DistributionId=self.primary, Id="INONE")

    def test_the_command_line_does_all_of_it(self):
        run = lambda *arguments: self.commands("cloudfront", list(arguments))[0]
        made = run("create-distribution", "--distribution-config", json.dumps(configuration("cli", Aliases={"Quantity": 0})))
        name = made["Distribution"]["Id"]
        staging = run("copy-distribution", "--primary-distribution-id", name, "--staging", "--if-match", made["ETag"], "--caller-reference", "copy")["Distribution"]
        policy = run("create-continuous-deployment-policy", "--continuous-deployment-policy-config", json.dumps(self.policy(staging["DomainName"])))
        identifier = policy["ContinuousDeploymentPolicy"]["Id"]
        config = run("get-distribution-config", "--id", name)["DistributionConfig"]
        etag = run("update-distribution", "--id", name, "--if-match", made["ETag"], "--distribution-config", json.dumps({**config, "ContinuousDeploymentPolicyId": identifier}))["ETag"]
        run("update-continuous-deployment-policy", "--id", identifier, "--if-match", policy["ETag"], "--continuous-deployment-policy-config", json.dumps(self.policy(staging["DomainName"], 0.1)))
        other = run("get-distribution", "--id", staging["Id"])["ETag"]
        run("update-distribution-with-staging-config", "--id", name, "--staging-distribution-id", staging["Id"], "--if-match", f"{etag}, {other}")
        shown = run("get-continuous-deployment-policy", "--id", identifier)["ContinuousDeploymentPolicy"]["ContinuousDeploymentPolicyConfig"]
        self.assertEqual((False, 0.1), (shown["Enabled"], shown["TrafficConfig"]["SingleWeightConfig"]["Weight"]))
        run("list-distributions")
        run("list-continuous-deployment-policies")
        invalidation = run("create-invalidation", "--distribution-id", name, "--paths", "/a", "/b")["Invalidation"]["Id"]
        run("get-invalidation", "--distribution-id", name, "--id", invalidation)
        code, error = self.aws("cloudfront", "delete-distribution", "--id", name, "--if-match", etag)
        self.assertEqual((254, True), (code, "PreconditionFailed" in error), error)
