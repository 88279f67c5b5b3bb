"""CloudTrail's LookupEvents."""

import json
import time
from datetime import datetime, timedelta, timezone

from harness import DoubleTest, client


class CloudTrailTest(DoubleTest):
    def setUp(self):
        super().setUp()
        self.trail = client("cloudtrail")
        self.admin("POST", "lambda/functions", {"name": "api", "codes": ["1", "2"], "aliases": {"live": "1"}})

    def lookup(self, **attribute):
        attributes = [{"AttributeKey": k, "AttributeValue": v} for k, v in attribute.items()]
        deadline = time.monotonic() + 10
        while True:
            try:
                return self.trail.lookup_events(LookupAttributes=attributes)["Events"]
            except self.trail.exceptions.ClientError as error:
                if error.response["Error"]["Code"] != "ThrottlingException" or time.monotonic() > deadline:
                    raise

    def test_it_tells_who_moved_an_alias(self):
        client("lambda", key="AKIDSOMEBODY").update_alias(FunctionName="api", Name="live", FunctionVersion="2")
        event = self.lookup(ResourceName="api")[0]
        self.assertEqual(("UpdateAlias20150331", "somebody", "lambda.amazonaws.com", "false", "AKIDSOMEBODY"), tuple(event[k] for k in ("EventName", "Username", "EventSource", "ReadOnly", "AccessKeyId")))
        document = json.loads(event["CloudTrailEvent"])
        self.assertEqual({"functionName": "api", "name": "live", "functionVersion": "2"}, document["requestParameters"])
        self.assertEqual(event["EventId"], self.lookup(EventId=event["EventId"])[0]["EventId"])
        self.assertEqual(1, len(self.lookup(Username="somebody")))

    def test_it_is_late_and_says_what_failed(self):
        with self.assertRaises(client("lambda").exceptions.ClientError):
            client("lambda", key="AKIDSOMEBODY").update_alias(FunctionName="api", Name="live", FunctionVersion="7")
        self.admin("POST", "settings", {"cloudtrailDelaySeconds": 3600})
        self.assertEqual([], self.lookup(Username="somebody"))
        self.admin("POST", "settings", {"cloudtrailDelaySeconds": 0})
        self.assertEqual("ResourceNotFoundException", json.loads(self.lookup(Username="somebody")[0]["CloudTrailEvent"])["errorCode"])

    def test_two_requests_a_second_and_no_more(self):
        answers = []
        for _ in range(50):  # a slow machine may need more than three to be quick enough
            try:
                self.trail.lookup_events()
                answers.append("ok")
            except self.trail.exceptions.ClientError as error:
                answers.append(error.response["Error"]["Code"])
                break
        self.assertEqual(["ok", "ok"], answers[:2])
        self.assertEqual("ThrottlingException", answers[-1])

    def test_what_it_does_not_take(self):
        now = datetime.now(timezone.utc)
        self.fails("InvalidLookupAttributesException", 400, self.trail.lookup_events, LookupAttributes=[{"AttributeKey": "Username", "AttributeValue": "a"}, {"AttributeKey": "EventName", "AttributeValue": "b"}])
        self.fails("InvalidTimeRangeException", 400, self.trail.lookup_events, StartTime=now, EndTime=now - timedelta(hours=1))

    def test_pages_and_the_command_line(self):
        first = self.trail.lookup_events(MaxResults=1)
        second = self.trail.lookup_events(MaxResults=1, NextToken=first["NextToken"])
        self.assertNotEqual(first["Events"][0]["EventId"], second["Events"][0]["EventId"])
        self.world.services["cloudtrail"].state["lookups"].clear()
        printed = self.commands("cloudtrail", ["lookup-events", "--lookup-attributes", "AttributeKey=EventName,AttributeValue=CreateAlias20150331", "--max-items", "1"])
        self.assertEqual("set-up", printed[0]["Events"][0]["Username"])
