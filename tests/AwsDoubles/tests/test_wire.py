"""Signatures, constraints and errors on the wire."""

import http.client
import json
import os
import subprocess
import sys

import unittest.mock
import urllib.error
from datetime import datetime, timedelta

import botocore.auth
from botocore.exceptions import ClientError
from harness import SERVER, DoubleTest, client

from wire import validation
from wire.models import MODELS


class WireTest(DoubleTest):
    def raw(self, method, path, headers=None, body=b""):
        connection = http.client.HTTPConnection(SERVER.url.removeprefix("http://"), timeout=10)
        connection.request(method, path, body, headers or {})
        reply = connection.getresponse()
        result = reply.status, dict(reply.getheaders()), reply.read()
        connection.close()
        return result

    def test_unsigned_requests_get_each_protocols_error(self):
        status, headers, body = self.raw("GET", "/2015-03-31/functions/api/aliases/live")
        self.assertEqual((403, "MissingAuthenticationTokenException", "Missing Authentication Token"), (status, headers["x-amzn-ErrorType"], json.loads(body)["message"]))
        status, _, body = self.raw("POST", "/", {"X-Amz-Target": "CodeDeploy_20141006.GetDeployment"}, b"{}")
        self.assertEqual((403, "MissingAuthenticationTokenException"), (status, json.loads(body)["__type"]))
        status, _, body = self.raw("GET", "/2020-05-31/distribution")
        self.assertEqual(403, status)
        self.assertIn(b"<Code>MissingAuthenticationToken</Code>", body)
        self.assertIn(b"cloudfront.amazonaws.com/doc/2020-05-31/", body)
        status, _, body = self.raw("POST", "/", {"Content-Type": "application/x-www-form-urlencoded"}, b"Action=DescribeAlarms&Version=2010-08-01")
        self.assertIn(b'<ErrorResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><Error><Type>Sender</Type><Code>MissingAuthenticationToken</Code>', body)
        self.assertEqual([None] * 4, [call["user"] for call in self.admin("GET", "calls")])

    def test_wrong_secrets_and_unknown_keys_are_refused(self):
        self.fails("InvalidSignatureException", 403, client("lambda", secret="guessed").list_aliases, FunctionName="api")
        self.fails("UnrecognizedClientException", 403, client("lambda", key="AKIDNOBODY", secret="x").list_aliases, FunctionName="api")
        self.fails("SignatureDoesNotMatch", 403, client("cloudwatch", secret="guessed").describe_alarms)
        self.fails("InvalidClientTokenId", 403, client("cloudwatch", key="AKIDNOBODY", secret="x").describe_alarms)

    def test_a_clock_that_is_off_is_told_so(self):
        for minutes, words in ((-6, "Signature expired"), (6, "Signature not yet current")):
            moment = datetime.utcnow() + timedelta(minutes=minutes)
            with unittest.mock.patch.object(botocore.auth.datetime, "datetime", wraps=datetime) as clock:
                clock.utcnow.return_value = moment
                with self.assertRaises(ClientError) as caught:
                    client("lambda").list_aliases(FunctionName="api")
            self.assertEqual("InvalidSignatureException", caught.exception.response["Error"]["Code"])
            self.assertIn(words, caught.exception.response["Error"]["Message"])

    def test_a_changed_body_or_header_breaks_the_signature(self):
        tampered = client("lambda", timeout=19)
        tampered.meta.events.register("before-send.lambda", lambda request, **_: setattr(request, "body", request.body.replace(b"one", b"two")))
        self.fails("InvalidSignatureException", 403, tampered.update_alias, FunctionName="api", Name="live", Description="one")

    def test_what_the_model_forbids_is_refused_and_kept(self):
        aws_lambda, cloudwatch, cloudtrail = client("lambda"), client("cloudwatch"), client("cloudtrail")
        self.violates("Member must satisfy regular expression pattern", aws_lambda.get_alias, FunctionName="a function", Name="live")
        self.violates("Member must satisfy enum value set", aws_lambda.create_function, FunctionName="f", Role="arn:aws:iam::111122223333:role/r", Runtime="cobol", Code={"ZipFile": b""})
        self.violates("Member must have length less than or equal to 256", aws_lambda.update_alias, FunctionName="api", Name="live", Description="x" * 257)
        self.violates("Missing required parameter", aws_lambda.create_alias, FunctionName="api", Name="live")
        self.violates("valid min value: 1", cloudwatch.describe_alarms, MaxRecords=0)
        self.violates("less than or equal to 100", cloudwatch.describe_alarms, MaxRecords=101)
        self.violates("enum value set", cloudwatch.describe_alarms, AlarmTypes=["Alarm"])
        self.violates("less than or equal to 50", cloudtrail.lookup_events, MaxResults=51)
        self.assertEqual(8, len(self.admin("GET", "violations")))

    def test_members_that_the_model_does_not_know_are_kept(self):
        for service, member in (("lambda", "Descripton"), ("cloudtrail", "MaxResult")):
            changing = client(service, timeout=18)
            original = changing._serializer.serialize_to_request

            def extra(parameters, operation, original=original, member=member):
                request = original(parameters, operation)
                request["body"] = json.dumps({**json.loads(request["body"] or b"{}"), member: 1}).encode()
                return request

            with unittest.mock.patch.object(changing._serializer, "serialize_to_request", extra):
                call = changing.update_alias if service == "lambda" else changing.lookup_events
                parameters = {"FunctionName": "api", "Name": "live"} if service == "lambda" else {}
                self.violates(f"{member}: the model has no such member", call, **parameters)

    def test_forms_and_documents_are_read_as_strictly(self):
        watch, front = client("cloudwatch"), client("cloudfront")
        odd_form = lambda params, **_: params["body"].update(AlarmName="x")
        watch.meta.events.register("before-call.cloudwatch.DescribeAlarms", odd_form)
        self.violates("AlarmName: the model has no such parameter", watch.describe_alarms)
        watch.meta.events.unregister("before-call.cloudwatch.DescribeAlarms", odd_form)
        odd_document = lambda params, **_: params.update(body=params["body"].replace(b"</Copy", b"<Colour>red</Colour></Copy"))
        front.meta.events.register("before-call.cloudfront.CopyDistribution", odd_document)
        self.violates("Colour: the model has no such member", front.copy_distribution, PrimaryDistributionId="E1", Staging=True, CallerReference="x")
        front.meta.events.unregister("before-call.cloudfront.CopyDistribution", odd_document)
        other_space = lambda params, **_: params.update(body=params["body"].replace(b"2020-05-31", b"2019-03-26"))
        front.meta.events.register("before-call.cloudfront.CopyDistribution", other_space)
        self.violates("the document's root is", front.copy_distribution, PrimaryDistributionId="E1", Staging=True, CallerReference="x")
        front.meta.events.unregister("before-call.cloudfront.CopyDistribution", other_space)

    def test_every_method_is_an_operation_and_every_other_operation_says_that_it_is_not_here(self):
        for name, double in self.world.services.items():
            operations = {method for method in dir(double) if method[0].isupper()}
            self.assertEqual(set(), operations - set(MODELS[name].operation_names))
        self.fails("NotImplementedByThisDouble", 501, client("lambda").list_functions)

    def test_what_has_no_double_says_what_a_test_wants(self):
        said = lambda service, operation, output: self.admin("POST", "replies", {"service": service, "operation": operation, "output": output})
        self.fails("NotImplementedByThisDouble", 501, client("iam").get_account_summary)
        said("iam", "GetAccountSummary", {"SummaryMap": {"AccountMFAEnabled": 1}})
        self.assertEqual({"AccountMFAEnabled": 1}, client("iam").get_account_summary()["SummaryMap"])
        for service, operation, output in (("sns", "Publish", {"Message": "m"}), ("securityhub", "GetFindings", {"Findings": [{"Colour": "red"}]}), ("iam", "GetRole", {"Role": {"Colour": "red"}})):
            with self.assertRaises(urllib.error.HTTPError) as refused:
                said(service, operation, output)
            refused.exception.close()
        self.assertEqual([], self.admin("GET", "violations"))

    def test_only_known_patterns_are_beyond_python(self):
        unreadable = set()
        for model in [MODELS[name] for name in ("lambda", "codedeploy", "cloudfront", "cloudwatch", "cloudtrail", "apigateway", "s3")]:
            for name in model.shape_names:
                pattern = model.shape_for(name).metadata.get("pattern")
                if pattern and validation.pattern(pattern) is None:
                    unreadable.add(name)
        self.assertEqual({"TagKey", "TagValue"}, unreadable)

    def test_calls_are_told_in_order_with_their_users(self):
        self.admin("POST", "lambda/functions", {"name": "api", "aliases": {"live": "1"}})
        client("lambda").get_alias(FunctionName="api", Name="live")
        with self.assertRaises(ClientError):
            client("lambda", key="AKIDSOMEBODY").get_alias(FunctionName="api", Name="none")
        calls = self.admin("GET", "calls")
        self.assertEqual(list(range(1, len(calls) + 1)), [call["sequence"] for call in calls])
        self.assertEqual(
            [("GetAlias", "ota-orchestrator", 200, None), ("GetAlias", "somebody", 404, "ResourceNotFoundException")],
            [(call["operation"], call["user"], call["status"], call["error"]) for call in calls[-2:]])
        self.assertEqual({"FunctionName": "api", "Name": "live"}, calls[-2]["parameters"])
        self.assertEqual(calls[-1:], self.admin("GET", f"calls?from={len(calls) - 1}"))

    def test_the_program_says_where_it_listens_and_ends_with_its_stdin(self):
        program = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        process = subprocess.Popen([sys.executable, program, "--port", "0", "--key", "AKIDX:s:me"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.assertRegex(process.stdout.readline(), r"^listening on http://127\.0\.0\.1:\d+$")
        process.stdin.close()
        self.assertEqual(0, process.wait(timeout=10))
        process.stdout.close()
