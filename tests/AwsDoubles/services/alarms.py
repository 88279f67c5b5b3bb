"""CloudWatch's alarms: looked at whenever somebody asks, over the periods that have ended."""

import math
import time

from loads import statistic
from wire.errors import AwsError

from .service import ACCOUNT, REGION, page

BREACHES = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


class Alarms:
    def PutMetricAlarm(self, p):
        if "MetricName" not in p or "Namespace" not in p or ("Statistic" in p) == ("ExtendedStatistic" in p) or "Period" not in p:
            raise AwsError("ValidationError", "MetricName, Namespace, Period and one of Statistic and ExtendedStatistic are needed; this double knows no metric math.")
        if p["ComparisonOperator"] not in BREACHES or "Threshold" not in p:
            raise AwsError("ValidationError", "Threshold and a static ComparisonOperator are needed.")
        if p.get("DatapointsToAlarm", 1) > p["EvaluationPeriods"]:
            raise AwsError("ValidationError", "DatapointsToAlarm must not be greater than EvaluationPeriods.")
        self.put("alarms", p)
        return {}

    def PutCompositeAlarm(self, p):
        """Its rule is kept, not computed: SetAlarmState says what state it is in."""
        self.put("composites", p)
        return {}

    def put(self, part, p):
        name = p["AlarmName"]
        alarm = {"ActionsEnabled": True, **{k: v for k, v in p.items() if k != "Tags"}, "AlarmArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"}
        existing = self.state[part].get(name)
        alarm["condition"] = existing["condition"] if existing else {"StateValue": "INSUFFICIENT_DATA", "StateReason": "Unchecked: Initial alarm creation", "StateUpdatedTimestamp": time.time(), "set": 0}
        self.state[part][name] = alarm

    def SetAlarmState(self, p):
        alarm = self.state["alarms"].get(p["AlarmName"]) or self.state["composites"].get(p["AlarmName"])
        if alarm is None:
            raise AwsError("ResourceNotFound", f"Alarm {p['AlarmName']} does not exist.")
        self.become(alarm, p["StateValue"], p["StateReason"], time.time())
        alarm["condition"]["set"] = time.time()
        return {}

    def DeleteAlarms(self, p):
        unknown = [name for name in p["AlarmNames"] if name not in self.state["alarms"] and name not in self.state["composites"]]
        if unknown:
            raise AwsError("ResourceNotFound", f"Alarms {unknown} do not exist.")
        for name in p["AlarmNames"]:
            self.state["alarms"].pop(name, None)
            self.state["composites"].pop(name, None)
        return {}

    def DescribeAlarms(self, p):
        """Without AlarmTypes only metric alarms are told of, even where composite ones exist."""
        if "AlarmNames" in p and "AlarmNamePrefix" in p:
            raise AwsError("ValidationError", "AlarmNames and AlarmNamePrefix exclude each other.")
        types, now = p.get("AlarmTypes") or ["MetricAlarm"], time.time()
        chosen = []
        for part, kind in (("alarms", "MetricAlarm"), ("composites", "CompositeAlarm")):
            for name, alarm in self.state[part].items():
                wanted = name in p["AlarmNames"] if p.get("AlarmNames") else name.startswith(p.get("AlarmNamePrefix", ""))
                state = self.judged(alarm, now)
                if kind in types and wanted and p.get("StateValue", state) == state:
                    chosen.append((kind, {**{k: v for k, v in alarm.items() if k != "condition"}, **{k: v for k, v in alarm["condition"].items() if k != "set"}}))
        items, after = page(chosen, p.get("NextToken"), p.get("MaxRecords", 50))
        return {"MetricAlarms": [a for k, a in items if k == "MetricAlarm"], "CompositeAlarms": [a for k, a in items if k == "CompositeAlarm"], "NextToken": after}

    def alarm_state(self, name, now):
        alarm = self.state["alarms"].get(name) or self.state["composites"].get(name)
        return self.judged(alarm, now) if alarm else None

    def judged(self, alarm, now):
        """The state, after a look at the newest periods that have ended. What SetAlarmState said lasts until such a period has data."""
        if "MetricName" not in alarm:
            return alarm["condition"]["StateValue"]
        step = self.real(alarm["Period"])
        newest = math.floor(now / step) * step
        if alarm["condition"]["set"] + step > newest:
            return alarm["condition"]["StateValue"]
        values = self.recent(alarm, newest, step)
        if not any(value is not None for value in values) and (alarm["condition"]["set"] or alarm.get("TreatMissingData") == "ignore"):
            return alarm["condition"]["StateValue"]
        present = [value for value in values if value is not None]
        bad = sum(BREACHES[alarm["ComparisonOperator"]](value, alarm["Threshold"]) for value in present)
        missing = alarm.get("TreatMissingData", "missing")
        if missing == "breaching":
            bad += len(values) - len(present)
        if bad >= alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"]):
            state = "ALARM"
        else:
            state = "OK" if present or missing in ("breaching", "notBreaching") else "INSUFFICIENT_DATA"
        if state != alarm["condition"]["StateValue"]:
            self.become(alarm, state, f"Threshold Crossed: {bad} of the last {len(values)} datapoints {present} breach the threshold ({alarm['Threshold']}).", now)
        return state

    def recent(self, alarm, newest, step):
        """The values of the periods to evaluate, None where there was no data."""
        dimensions = {d["Name"]: d["Value"] for d in alarm.get("Dimensions", [])}
        values = []
        for index in range(alarm["EvaluationPeriods"]):
            at = newest - (index + 1) * step
            found = self.samples(alarm["Namespace"], alarm["MetricName"], dimensions, at, at + step)
            values.append(statistic(found, alarm.get("Statistic") or alarm["ExtendedStatistic"]) if found else None)
        return values

    def become(self, alarm, state, reason, now):
        alarm["condition"].update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=now)
