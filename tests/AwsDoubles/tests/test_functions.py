"""Lambda, asked by botocore and by the `aws` command line."""

import json
import os
import tempfile

from harness import DoubleTest, client


class LambdaTest(DoubleTest):
    def setUp(self):
        super().setUp()
        self.aws_lambda = client("lambda")
        self.admin("POST", "lambda/functions", {"name": "api", "codes": ["1.0", "2.0"], "aliases": {"live": "1"}})

    def update(self, **parameters):
        return self.aws_lambda.update_alias(FunctionName="api", Name="live", **parameters)

    def live(self):
        return self.aws_lambda.get_alias(FunctionName="api", Name="live")

    def test_code_is_updated_published_and_shifted_as_the_facts_say(self):
        settled = self.aws_lambda.get_function_configuration(FunctionName="api")
        started = self.aws_lambda.update_function_code(FunctionName="api", ZipFile=b"3.0", Publish=False, RevisionId=settled["RevisionId"])
        self.assertEqual("InProgress", started["LastUpdateStatus"])
        self.fails("ResourceConflictException", 409, self.aws_lambda.publish_version, FunctionName="api")
        self.assertEqual("InProgress", self.aws_lambda.get_function_configuration(FunctionName="api")["LastUpdateStatus"])
        ready = self.aws_lambda.get_function(FunctionName="api")["Configuration"]
        self.assertEqual("Successful", ready["LastUpdateStatus"])
        published = self.aws_lambda.publish_version(FunctionName="api", CodeSha256=ready["CodeSha256"], RevisionId=ready["RevisionId"], Description="three")
        self.assertEqual(("3", "three"), (published["Version"], published["Description"]))
        self.assertEqual("3", self.aws_lambda.publish_version(FunctionName="api")["Version"], "unchanged code keeps its number")
        self.assertEqual(["$LATEST", "1", "2", "3"], [v["Version"] for v in self.aws_lambda.list_versions_by_function(FunctionName="api")["Versions"]])
        self.update(RoutingConfig={"AdditionalVersionWeights": {"3": 0.1}}, RevisionId=self.live()["RevisionId"])
        self.assertEqual({"3": 0.1}, self.live()["RoutingConfig"]["AdditionalVersionWeights"])
        self.update(FunctionVersion="3", RoutingConfig={"AdditionalVersionWeights": {}})
        self.assertEqual("3", self.live()["FunctionVersion"])
        self.assertNotIn("RoutingConfig", self.live())

    def test_weights_stay_unless_an_empty_map_says_otherwise(self):
        self.update(RoutingConfig={"AdditionalVersionWeights": {"2": 0.25}})
        self.update(Description="said nothing of weights")
        self.update(RoutingConfig={})
        self.assertEqual({"2": 0.25}, self.live()["RoutingConfig"]["AdditionalVersionWeights"])
        self.fails("InvalidParameterValueException", 400, self.update, FunctionVersion="2")
        self.update(RoutingConfig={"AdditionalVersionWeights": {}})
        self.assertNotIn("RoutingConfig", self.live())

    def test_what_an_alias_may_not_be(self):
        invalid = "InvalidParameterValueException"
        self.fails(invalid, 400, self.update, RoutingConfig={"AdditionalVersionWeights": {"1": 0.5}})
        self.fails(invalid, 400, self.update, FunctionVersion="$LATEST", RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})
        self.fails("ResourceNotFoundException", 404, self.update, RoutingConfig={"AdditionalVersionWeights": {"7": 0.5}})
        self.fails("ResourceNotFoundException", 404, self.update, FunctionVersion="7")
        self.fails("ResourceNotFoundException", 404, self.aws_lambda.get_alias, FunctionName="api", Name="other")
        self.fails("ResourceNotFoundException", 404, self.aws_lambda.get_alias, FunctionName="none", Name="live")
        self.fails("ResourceConflictException", 409, self.aws_lambda.create_alias, FunctionName="api", Name="live", FunctionVersion="2")
        self.aws_lambda.update_function_code(FunctionName="api", ZipFile=b"x", Publish=True)
        self.fails(invalid, 400, self.update, RoutingConfig={"AdditionalVersionWeights": {"2": 0.1, "3": 0.1}})
        self.violates("Member must have value less than or equal to 1", self.update, RoutingConfig={"AdditionalVersionWeights": {"2": 1.5}})

    def test_versions_of_one_alias_share_role_and_dead_letter_queue(self):
        for change in ({"Role": "arn:aws:iam::111122223333:role/other"}, {"DeadLetterConfig": {"TargetArn": "arn:aws:sqs:eu-central-1:111122223333:dead"}}):
            self.aws_lambda.update_function_configuration(FunctionName="api", **change)
            self.aws_lambda.get_function_configuration(FunctionName="api")
            version = self.aws_lambda.publish_version(FunctionName="api")["Version"]
            self.fails("InvalidParameterValueException", 400, self.update, RoutingConfig={"AdditionalVersionWeights": {version: 0.5}})

    def test_an_old_revision_is_refused(self):
        old = self.live()["RevisionId"]
        self.update(Description="new")
        self.fails("PreconditionFailedException", 412, self.update, FunctionVersion="2", RevisionId=old)
        self.fails("PreconditionFailedException", 412, self.aws_lambda.update_function_code, FunctionName="api", ZipFile=b"x", RevisionId=old)
        self.fails("PreconditionFailedException", 412, self.aws_lambda.publish_version, FunctionName="api", RevisionId=old)
        self.fails("InvalidParameterValueException", 400, self.aws_lambda.publish_version, FunctionName="api", CodeSha256="another")

    def test_functions_are_made_listed_and_invoked(self):
        made = self.aws_lambda.create_function(FunctionName="new", Role="arn:aws:iam::111122223333:role/r", Runtime="python3.9", Handler="h.h", Code={"S3Bucket": "code", "S3Key": "a.zip"})
        self.assertEqual("$LATEST", made["Version"])
        self.fails("ResourceConflictException", 409, self.aws_lambda.create_function, FunctionName="new", Role="arn:aws:iam::111122223333:role/r", Runtime="python3.9", Handler="h.h", Code={"ZipFile": b"x"})
        self.fails("InvalidParameterValueException", 400, self.aws_lambda.update_function_code, FunctionName="new")
        self.aws_lambda.create_alias(FunctionName="api", Name="next", FunctionVersion="2")
        self.assertEqual(["live", "next"], [a["Name"] for a in self.aws_lambda.list_aliases(FunctionName="api")["Aliases"]])
        self.assertEqual(["next"], [a["Name"] for a in self.aws_lambda.list_aliases(FunctionName="api", FunctionVersion="2")["Aliases"]])
        first = self.aws_lambda.list_aliases(FunctionName="api", MaxItems=1)
        self.assertEqual(["next"], [a["Name"] for a in self.aws_lambda.list_aliases(FunctionName="api", Marker=first["NextMarker"])["Aliases"]])
        self.update(RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})
        self.admin("POST", "lambda/behaviour", {"function": "api", "version": "2", "errorRate": 1})
        answers = [self.aws_lambda.invoke(FunctionName="api", Qualifier="live", Payload=b"{}") for _ in range(60)]
        self.assertEqual({"1", "2"}, {a["ExecutedVersion"] for a in answers})
        self.assertTrue(all((a.get("FunctionError") == "Unhandled") == (a["ExecutedVersion"] == "2") for a in answers))
        self.aws_lambda.delete_alias(FunctionName="api", Name="next")
        self.assertEqual(204, self.aws_lambda.invoke(FunctionName="api:live", InvocationType="DryRun")["StatusCode"])

    def test_concurrency_is_provisioned_for_a_version_after_a_while(self):
        of = {"FunctionName": "api", "Qualifier": "2"}
        self.assertEqual("IN_PROGRESS", self.aws_lambda.put_provisioned_concurrency_config(**of, ProvisionedConcurrentExecutions=5)["Status"])
        told = [self.aws_lambda.get_provisioned_concurrency_config(**of) for _ in range(2)]
        self.assertEqual([("IN_PROGRESS", 0), ("READY", 5)], [(t["Status"], t["AvailableProvisionedConcurrentExecutions"]) for t in told])
        self.assertEqual(1, len(self.aws_lambda.list_provisioned_concurrency_configs(FunctionName="api")["ProvisionedConcurrencyConfigs"]))
        self.aws_lambda.delete_provisioned_concurrency_config(**of)
        self.fails("ProvisionedConcurrencyConfigNotFoundException", 404, self.aws_lambda.get_provisioned_concurrency_config, **of)
        self.fails("InvalidParameterValueException", 400, self.aws_lambda.put_provisioned_concurrency_config, FunctionName="api", Qualifier="$LATEST", ProvisionedConcurrentExecutions=1)
        self.fails("ResourceNotFoundException", 404, self.aws_lambda.put_provisioned_concurrency_config, FunctionName="api", Qualifier="9", ProvisionedConcurrentExecutions=1)

    def test_arns_name_functions_too(self):
        arn = self.aws_lambda.get_function_configuration(FunctionName="api")["FunctionArn"]
        self.assertEqual("1", self.aws_lambda.get_function_configuration(FunctionName=arn + ":live")["Version"])
        self.assertEqual("2", self.aws_lambda.get_function_configuration(FunctionName=arn, Qualifier="2")["Version"])

    def test_the_command_line_does_all_of_it(self):
        with tempfile.TemporaryDirectory() as folder:
            code, out = os.path.join(folder, "code.zip"), os.path.join(folder, "out")
            with open(code, "wb") as file:
                file.write(b"PK\x05\x06" + bytes(18))
            self.commands(
                "lambda",
                ["create-function", "--function-name", "cli", "--runtime", "python3.9", "--handler", "h.h", "--role", "arn:aws:iam::111122223333:role/r", "--zip-file", f"fileb://{code}", "--publish"],
                ["create-alias", "--function-name", "cli", "--name", "live", "--function-version", "1"],
                ["update-function-code", "--function-name", "cli", "--s3-bucket", "code", "--s3-key", "b.zip"],
                ["get-function-configuration", "--function-name", "cli"],
                ["get-function", "--function-name", "cli"],
                ["publish-version", "--function-name", "cli"],
                ["update-alias", "--function-name", "cli", "--name", "live", "--routing-config", "AdditionalVersionWeights={2=0.3}"],
                ["get-alias", "--function-name", "cli", "--name", "live"],
                ["list-aliases", "--function-name", "cli"],
                ["list-versions-by-function", "--function-name", "cli"],
                ["invoke", "--function-name", "cli", "--qualifier", "live", out],
            )
            with open(out, encoding="utf-8") as file:
                self.assertIn(json.load(file)["version"], ("1", "2"))
        exit_code, printed = self.aws("lambda", "update-alias", "--function-name", "cli", "--name", "live", "--revision-id", "old")
        self.assertEqual(254, exit_code)
        self.assertIn("(PreconditionFailedException)", printed)
