"""CloudWatch: what metrics and alarms say of loads, of invocations, and of what was put there."""

import time
from datetime import datetime, timedelta, timezone

from harness import DoubleTest, client

MINUTE = 60


class CloudWatchTest(DoubleTest):
    def setUp(self):
        super().setUp()
        self.watch = client("cloudwatch")
        self.admin("POST", "lambda/functions", {"name": "api", "codes": ["1", "2"], "aliases": {"live": "1"}})

    def at(self, seconds):
        return datetime.fromtimestamp(seconds, timezone.utc)

    def values(self, name, dimensions, start, end, stat="Sum", namespace="AWS/Lambda", **more):
        metric = {"Namespace": namespace, "MetricName": name, "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()]}
        query = [{"Id": "m1", "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}}]
        result = self.watch.get_metric_data(MetricDataQueries=query, StartTime=self.at(start), EndTime=self.at(end), ScanBy="TimestampAscending", **more)["MetricDataResults"][0]
        return dict(zip([t.timestamp() for t in result["Timestamps"]], result["Values"]))

    def loaded(self, error_rate, minutes=5, weights=None):
        """A load that began some whole minutes ago."""
        begun = time.time() // MINUTE * MINUTE - minutes * MINUTE
        if weights:
            client("lambda").update_alias(FunctionName="api", Name="live", RoutingConfig={"AdditionalVersionWeights": weights})
        self.world.loads.set({"kind": "lambda", "resource": "api:live", "requestsPerSecond": 10, "errorRate": error_rate, "latencyMs": {"1": 20, "2": 200}}, begun)
        return begun

    def test_a_load_is_counted_by_the_version_that_served_it(self):
        begun = self.loaded({"2": 0.5}, weights={"2": 0.1})
        alias = {"FunctionName": "api", "Resource": "api:live"}
        self.assertEqual({begun: 600, begun + MINUTE: 600}, self.values("Invocations", alias, begun, begun + 2 * MINUTE))
        self.assertEqual({begun: 60}, self.values("Invocations", {**alias, "ExecutedVersion": "2"}, begun, begun + MINUTE))
        self.assertEqual({begun: 30}, self.values("Errors", {**alias, "ExecutedVersion": "2"}, begun, begun + MINUTE))
        self.assertEqual({begun: 0}, self.values("Errors", {**alias, "ExecutedVersion": "1"}, begun, begun + MINUTE))
        self.assertEqual({begun: 20}, self.values("Duration", alias, begun, begun + MINUTE, "p50"))
        self.assertEqual({begun: 200}, self.values("Duration", alias, begun, begun + MINUTE, "p99"))
        self.assertEqual({begun: 38}, self.values("Duration", alias, begun, begun + MINUTE, "Average"))
        self.assertEqual({}, self.values("Invocations", alias, begun - 2 * MINUTE, begun))

    def test_a_period_that_saw_two_configurations_counts_both(self):
        begun = self.loaded({"2": 1})
        client("lambda").update_alias(FunctionName="api", Name="live", FunctionVersion="2")
        segments = self.world.loads.segments
        segments[0]["to"] = segments[1]["from"] = begun + 90
        errors = {"FunctionName": "api"}
        self.assertEqual({begun: 0, begun + MINUTE: 300, begun + 2 * MINUTE: 600}, self.values("Errors", errors, begun, begun + 3 * MINUTE))
        self.assertEqual({}, self.values("Invocations", {"FunctionName": "api", "Resource": "api:live", "ExecutedVersion": "2"}, begun, begun + 3 * MINUTE), "only a split alias counts by version")

    def test_the_newest_period_is_incomplete(self):
        begun = self.loaded({}, minutes=1)
        values = self.values("Invocations", {"FunctionName": "api"}, begun, begun + 2 * MINUTE)
        self.assertEqual(600, values[begun])
        self.assertLess(values.get(begun + MINUTE, 0), 601)

    def test_real_invocations_count_too(self):
        for _ in range(3):
            client("lambda").invoke(FunctionName="api", Qualifier="live")
        now = time.time()
        self.assertEqual(3, sum(self.values("Invocations", {"FunctionName": "api"}, now - 120, now + 60).values()))

    def test_periods_may_be_shorter_than_amazons(self):
        self.admin("POST", "settings", {"periodSeconds": 0.5})
        self.admin("POST", "load", {"kind": "lambda", "resource": "api:live", "requestsPerSecond": 100, "errorRate": {}})
        deadline, begun = time.monotonic() + 10, time.time()
        while sum(v == 50 for v in self.values("Invocations", {"FunctionName": "api"}, begun, time.time() + 1).values()) < 2:
            self.assertLess(time.monotonic(), deadline)

    def alarm(self, name="errors", **more):
        self.watch.put_metric_alarm(**{
            "AlarmName": name, "Namespace": "AWS/Lambda", "MetricName": "Errors", "Dimensions": [{"Name": "FunctionName", "Value": "api"}], "Statistic": "Sum",
            "Period": 60, "EvaluationPeriods": 3, "DatapointsToAlarm": 2, "Threshold": 10, "ComparisonOperator": "GreaterThanThreshold", **more})

    def state(self, name="errors", **more):
        return [a["StateValue"] for a in self.watch.describe_alarms(AlarmNames=[name], **more)["MetricAlarms"]]

    def test_alarms_follow_the_load(self):
        self.alarm()
        self.alarm("quiet", TreatMissingData="notBreaching")
        self.assertEqual(["INSUFFICIENT_DATA"], self.state())
        self.assertEqual(["OK"], self.state("quiet"))
        self.loaded({"1": 0.5})
        self.assertEqual(["ALARM"], self.state())
        self.assertEqual(["errors", "quiet"], [a["AlarmName"] for a in self.watch.describe_alarms(StateValue="ALARM")["MetricAlarms"]])
        self.loaded({})
        self.world.loads.segments.pop(0)
        self.assertEqual(["OK"], self.state())

    def test_a_state_that_was_set_lasts_until_there_is_data(self):
        self.alarm()
        self.watch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="test")
        self.assertEqual(["ALARM"], self.state())
        self.fails("ResourceNotFound", 404, self.watch.set_alarm_state, AlarmName="none", StateValue="OK", StateReason="test")
        self.fails("ResourceNotFound", 404, self.watch.delete_alarms, AlarmNames=["errors", "none"])
        self.watch.delete_alarms(AlarmNames=["errors"])
        self.assertEqual([], self.state())

    def test_alarm_types_are_honoured(self):
        self.alarm("both-metric")
        self.watch.put_composite_alarm(AlarmName="both-composite", AlarmRule='ALARM("both-metric")')
        told = lambda **p: [[a["AlarmName"] for a in self.watch.describe_alarms(AlarmNamePrefix="both", **p)[k]] for k in ("MetricAlarms", "CompositeAlarms")]
        self.assertEqual([["both-metric"], []], told())
        self.assertEqual([[], ["both-composite"]], told(AlarmTypes=["CompositeAlarm"]))
        self.assertEqual([["both-metric"], ["both-composite"]], told(AlarmTypes=["CompositeAlarm", "MetricAlarm"]))

    def test_own_metrics_are_listed_and_read_back(self):
        now = time.time()
        self.watch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "Orders", "Value": 3, "Timestamp": self.at(now)}, {"MetricName": "Orders", "Values": [1, 2], "Counts": [2, 1]}])
        self.assertEqual(7, sum(self.values("Orders", {}, now - 120, now + 60, namespace="Shop").values()))
        self.assertEqual(["Orders"], [m["MetricName"] for m in self.watch.list_metrics(Namespace="Shop")["Metrics"]])
        self.fails("InvalidParameterValue", 400, self.watch.put_metric_data, Namespace="AWS/Lambda", MetricData=[{"MetricName": "Errors", "Value": 1}])

    def test_what_it_does_not_take(self):
        now = time.time()
        self.fails("ValidationError", 400, self.watch.get_metric_data, MetricDataQueries=[], StartTime=self.at(now), EndTime=self.at(now))
        self.fails("ValidationError", 400, self.watch.put_metric_alarm, AlarmName="x", EvaluationPeriods=1, ComparisonOperator="GreaterThanThreshold", Threshold=1)
        for stat, period in (("p100.5", 60), ("Sum", 61)):
            query = [{"Id": "a", "MetricStat": {"Metric": {"Namespace": "n", "MetricName": "m"}, "Period": period, "Stat": stat}}]
            self.fails("ValidationError", 400, self.watch.get_metric_data, MetricDataQueries=query, StartTime=self.at(now - 60), EndTime=self.at(now))

    def test_the_command_line_does_all_of_it(self):
        now, ago = self.at(time.time()).isoformat(), self.at(time.time() - 600).isoformat()
        printed = self.commands(
            "cloudwatch",
            ["put-metric-alarm", "--alarm-name", "a", "--namespace", "AWS/Lambda", "--metric-name", "Errors", "--statistic", "Sum", "--period", "60", "--evaluation-periods", "1", "--threshold", "1", "--comparison-operator", "GreaterThanThreshold"],
            ["set-alarm-state", "--alarm-name", "a", "--state-value", "ALARM", "--state-reason", "test"],
            ["describe-alarms", "--alarm-names", "a", "--alarm-types", "MetricAlarm"],
            ["put-composite-alarm", "--alarm-name", "c", "--alarm-rule", "ALARM(a)"],
            ["put-metric-data", "--namespace", "Shop", "--metric-name", "Orders", "--value", "5"],
            ["list-metrics", "--namespace", "Shop"],
            ["get-metric-data", "--start-time", ago, "--end-time", now, "--metric-data-queries", '[{"Id":"m","MetricStat":{"Metric":{"Namespace":"Shop","MetricName":"Orders"},"Period":60,"Stat":"Maximum"}}]'],
        )
        self.assertEqual("ALARM", printed[2]["MetricAlarms"][0]["StateValue"])
        self.assertEqual("Orders", printed[5]["Metrics"][0]["MetricName"])
        self.assertEqual("Complete", printed[6]["MetricDataResults"][0]["StatusCode"])
        self.commands("cloudwatch", ["delete-alarms", "--alarm-names", "a", "c"])
