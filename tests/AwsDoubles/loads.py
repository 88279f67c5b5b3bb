"""Simulated users: a constant load on a resource, and what AWS's metrics would say of it.

Each load remembers how long every configuration of its resource held, so that a period that saw two of them counts both."""

import math
import time

KINDS = ("lambda", "cloudfront", "codedeploy", "apigateway")
FIELDS = {"kind", "resource", "requestsPerSecond", "errorRate", "latencyMs"}

# What a metric measures of one request.
METRICS = {
    "AWS/Lambda": {"Invocations": "requests", "Errors": "errors", "Throttles": "nothing", "Duration": "milliseconds"},
    "AWS/CloudFront": {"Requests": "requests", "5xxErrorRate": "percent", "4xxErrorRate": "nothing", "TotalErrorRate": "percent"},
    "AWS/ApplicationELB": {"RequestCount": "requests", "HTTPCode_Target_5XX_Count": "errors", "TargetResponseTime": "seconds"},
    "AWS/ApiGateway": {"Count": "requests", "5XXError": "errors", "4XXError": "nothing", "Latency": "milliseconds"},
}


class Loads:
    def __init__(self, world):
        self.world, self.active, self.segments = world, {}, []

    def set(self, load, now=None):
        """Begins a load, or changes it; none per second ends it."""
        if load.get("kind") not in KINDS or set(load) - FIELDS or "resource" not in load:
            raise ValueError(f"a load has a kind of {KINDS} and fields of {sorted(FIELDS)}")
        now, key = now or time.time(), (load["kind"], load["resource"])
        if key in self.active:
            self.active.pop(key)["segment"]["to"] = now
        if load.get("requestsPerSecond", 0) > 0:
            self.active[key] = {"load": load, "segment": None}
            self.observe(now)

    def observe(self, now):
        """Called after whatever may have moved traffic."""
        for (kind, resource), entry in self.active.items():
            parts = self.world.services[kind].serving(resource)
            if entry["segment"] and entry["segment"]["parts"] == parts:
                continue
            if entry["segment"]:
                entry["segment"]["to"] = now
            entry["segment"] = {"from": now, "to": None, "load": entry["load"], "parts": parts}
            self.segments.append(entry["segment"])

    def samples(self, namespace, metric, dimensions, start, end):
        """[(value, how many requests had it)] between two moments."""
        measures = METRICS.get(namespace, {}).get(metric)
        if measures is None:
            return []
        result = []
        for segment in self.segments:
            a, b = max(start, segment["from"]), min(end, segment["to"] or math.inf)
            if a >= b:
                continue
            for part in segment["parts"]:
                if part["namespace"] == namespace and dimensions in part["dimensions"]:
                    result += measured(measures, segment, part, a, b)
        return [(value, count) for value, count in result if count > 0]

    def known(self):
        """Each metric that the loads have made: (namespace, name, dimensions)."""
        return [(p["namespace"], name, d) for s in self.segments for p in s["parts"] for name in METRICS[p["namespace"]] for d in p["dimensions"]]


def measured(measures, segment, part, a, b):
    load = segment["load"]
    rate = load["requestsPerSecond"] * part["share"]
    requests = whole(rate, segment, a, b)
    errors = min(requests, whole(rate * lookup(load.get("errorRate", {}), part["versions"], 0), segment, a, b))
    latency = lookup(load.get("latencyMs", {}), part["versions"], 1)
    return {
        "requests": [(1, requests)],
        "errors": [(1, errors), (0, requests - errors)],
        "percent": [(100, errors), (0, requests - errors)],
        "nothing": [(0, requests)],
        "milliseconds": [(latency, requests)],
        "seconds": [(latency / 1000, requests)],
    }[measures]


def whole(rate, segment, a, b):
    """Whole events between two moments; over any row of periods they add up to the rate."""
    until = lambda moment: math.floor(rate * (moment - segment["from"]) + 1e-6)
    return until(b) - until(a)


def lookup(by_version, names, default):
    return next((by_version[name] for name in names if name in by_version), default)


def statistic(samples, name):
    """Sum, SampleCount, Average, Minimum, Maximum or a percentile of [(value, count)]."""
    count = sum(n for _, n in samples)
    if name == "SampleCount":
        return float(count)
    if name == "Sum":
        return float(sum(v * n for v, n in samples))
    if name == "Average":
        return sum(v * n for v, n in samples) / count
    values = sorted(samples)
    if name in ("Minimum", "Maximum"):
        return float(values[0 if name == "Minimum" else -1][0])
    rank, seen = float(name[1:]) / 100 * count, 0
    for value, n in values:
        seen += n
        if seen >= rank:
            return float(value)
    return float(values[-1][0])
