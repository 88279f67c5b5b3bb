"""Amazon CloudWatch: metrics from loads, invocations and PutMetricData, and alarms on them."""

import math
import re
import time

from botocore.utils import parse_timestamp
from loads import statistic
from wire.errors import AwsError

from .alarms import Alarms
from .service import Service, page

STATISTIC = re.compile(r"SampleCount|Sum|Average|Minimum|Maximum|p\d{1,2}(\.\d{1,10})?|p100")


class CloudWatch(Alarms, Service):
    name, source = "cloudwatch", "monitoring.amazonaws.com"
    data_events = ("PutMetricData", "GetMetricData", "ListMetrics", "GetMetricStatistics")
    history = ("points",)

    def __init__(self, world):
        super().__init__(world)
        self.state = {"alarms": {}, "composites": {}, "points": []}

    # Data in

    def PutMetricData(self, p):
        for datum in p["MetricData"]:
            if p["Namespace"].startswith("AWS/"):
                raise AwsError("InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid.")
            at = moment(datum["Timestamp"]) if "Timestamp" in datum else time.time()
            if "StatisticValues" in datum:
                s = datum["StatisticValues"]
                samples = [(s["Minimum"], 1), (s["Maximum"], 1)] if s["SampleCount"] >= 2 else []
                left = s["SampleCount"] - len(samples)
                samples += [((s["Sum"] - sum(v for v, _ in samples)) / left, left)] if left > 0 else []
            elif "Values" in datum:
                samples = list(zip(datum["Values"], datum.get("Counts", [1] * len(datum["Values"]))))
            else:
                samples = [(datum["Value"], 1)]
            self.point(p["Namespace"], datum["MetricName"], {d["Name"]: d["Value"] for d in datum.get("Dimensions", [])}, at, samples)
        return {}

    def invoked(self, of, failed, latency):
        """What an Invoke that a client really made leaves in the metrics."""
        for dimensions in of:
            for name, value in (("Invocations", 1), ("Errors", int(failed)), ("Throttles", 0), ("Duration", latency)):
                self.point("AWS/Lambda", name, dimensions, time.time(), [(value, 1)])

    def point(self, namespace, name, dimensions, at, samples):
        self.state["points"].append({"metric": [namespace, name, dimensions], "at": at, "samples": samples})

    # Data out

    def samples(self, namespace, name, dimensions, start, end):
        stored = [tuple(s) for p in self.state["points"] if p["metric"] == [namespace, name, dimensions] and start <= p["at"] < end for s in p["samples"]]
        return stored + self.world.loads.samples(namespace, name, dimensions, start, end)

    def real(self, period):
        """How long a period lasts here."""
        return period * self.world.settings["periodSeconds"] / 60

    def GetMetricData(self, p):
        start, end, now = p["StartTime"].timestamp(), p["EndTime"].timestamp(), time.time()
        if start >= end:
            raise AwsError("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
        identifiers = [q["Id"] for q in p["MetricDataQueries"]]
        if len(set(identifiers)) < len(identifiers):
            raise AwsError("ValidationError", "The values for parameter id in MetricDataQueries are not unique.")
        results = [self.answer(query, start, min(end, now), p.get("ScanBy")) for query in p["MetricDataQueries"] if query.get("ReturnData", True)]
        return {"MetricDataResults": results, "Messages": []}

    def answer(self, query, start, end, order):
        if not re.fullmatch("[a-z][A-Za-z0-9_]*", query["Id"]):
            raise AwsError("ValidationError", f"The value {query['Id']} for parameter id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.")
        if "MetricStat" not in query:
            raise AwsError("ValidationError", "This double knows no expressions.")
        stat = query["MetricStat"]
        if not STATISTIC.fullmatch(stat["Stat"]):
            raise AwsError("ValidationError", f"The value {stat['Stat']} for parameter MetricDataQueries.MetricStat.Stat is not supported.")
        if stat["Period"] % 60 and stat["Period"] not in (1, 5, 10, 30):
            raise AwsError("ValidationError", "Period must be 1, 5, 10, 30 or a multiple of 60.")
        metric, step = stat["Metric"], self.real(stat["Period"])
        dimensions = {d["Name"]: d["Value"] for d in metric.get("Dimensions", [])}
        at, points = math.floor(start / step) * step, []
        at = max(at, math.floor((end - 1440 * step) / step) * step)
        while at < end:
            found = self.samples(metric["Namespace"], metric["MetricName"], dimensions, at, at + step)
            points += [(at, statistic(found, stat["Stat"]))] if found else []
            at += step
        if order != "TimestampAscending":
            points.reverse()
        return {"Id": query["Id"], "Label": query.get("Label", metric["MetricName"]), "Timestamps": [t for t, _ in points], "Values": [v for _, v in points], "StatusCode": "Complete"}

    def ListMetrics(self, p):
        known = [tuple(x["metric"]) for x in self.state["points"]] + self.world.loads.known()
        found = []
        for namespace, name, dimensions in known:
            wanted = all(d["Name"] in dimensions and d.get("Value", dimensions[d["Name"]]) == dimensions[d["Name"]] for d in p.get("Dimensions", []))
            metric = {"Namespace": namespace, "MetricName": name, "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()]}
            if wanted and p.get("Namespace", namespace) == namespace and p.get("MetricName", name) == name and metric not in found:
                found.append(metric)
        items, after = page(found, p.get("NextToken"), 500)
        return {"Metrics": items, "NextToken": after}

    def snapshot(self, history):
        """Alarms as they were made; the state that they are in is no configuration."""
        result = super().snapshot(history)
        result["alarms"] = {name: {k: v for k, v in alarm.items() if k != "condition"} for name, alarm in result["alarms"].items()}
        result["composites"] = {name: {k: v for k, v in alarm.items() if k != "condition"} for name, alarm in result["composites"].items()}
        return result


def dimensions_of(function, qualifier, executed, split):
    """Where Lambda counts an invocation; by version only while an alias splits its traffic between two."""
    result = [{"FunctionName": function}]
    if qualifier:
        result.append({"FunctionName": function, "Resource": f"{function}:{qualifier}"})
    if split:
        result.append({"FunctionName": function, "Resource": f"{function}:{qualifier}", "ExecutedVersion": executed})
    return result


def moment(timestamp):
    """Seconds since the epoch; over the wire it is a datetime, from somebody's act it is text."""
    return (parse_timestamp(timestamp) if isinstance(timestamp, str) else timestamp).timestamp()
