"""AWS CloudTrail: what was done here and by whom, late, and twice a second at most; and the trails that keep it."""

import json
import uuid

from wire.errors import AwsError
from wire.scalars import write_time

from .service import ACCOUNT, REGION, Service, page

ATTRIBUTES = {
    "EventId": lambda e: [e["EventId"]], "EventName": lambda e: [e["EventName"]], "ReadOnly": lambda e: [e["ReadOnly"]], "Username": lambda e: [e["Username"]],
    "EventSource": lambda e: [e["EventSource"]], "AccessKeyId": lambda e: [e["AccessKeyId"]],
    "ResourceType": lambda e: [r["ResourceType"] for r in e["Resources"]], "ResourceName": lambda e: [r["ResourceName"] for r in e["Resources"]],
}


class CloudTrail(Service):
    name, source = "cloudtrail", "cloudtrail.amazonaws.com"
    def __init__(self, world):
        super().__init__(world)
        self.state = {"events": [], "lookups": [], "trails": {}}

    def record(self, now, double, operation, read_only, parameters, output, user, access_key, error):
        from world import plain

        resources = [{"ResourceType": kind, "ResourceName": name} for kind, name in double.resources(operation, parameters, output or {})]
        region = "us-east-1" if double.name == "cloudfront" else REGION
        event = {
            "EventId": str(uuid.uuid4()), "EventName": double.event_name(operation), "ReadOnly": "true" if read_only else "false", "AccessKeyId": access_key,
            "EventTime": now, "EventSource": double.source, "Username": user, "Resources": resources,
        }
        document = {
            "eventVersion": "1.08", "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/{user}", "accountId": ACCOUNT, "accessKeyId": access_key, "userName": user},
            "eventTime": write_time(now, "iso8601"), "eventSource": double.source, "eventName": event["EventName"], "awsRegion": region, "sourceIPAddress": "127.0.0.1",
            "requestParameters": {name[0].lower() + name[1:]: value for name, value in plain(parameters).items()}, "readOnly": read_only, "eventID": event["EventId"],
            "eventType": "AwsApiCall", "managementEvent": True, "recipientAccountId": ACCOUNT, "eventCategory": "Management",
        }
        if error:
            document["errorCode"] = error
        event["CloudTrailEvent"] = json.dumps(document)
        self.state["events"].append(event)

    def snapshot(self, history):
        """What happened is no state: `calls` and LookupEvents tell of it."""
        return {"trails": {name: {**trail, "latest": None} for name, trail in self.state["trails"].items()}}

    def CreateTrail(self, p):
        if p["Name"] in self.state["trails"]:
            raise AwsError("TrailAlreadyExistsException", f"Trail {p['Name']} already exists.")
        trail = {"Name": p["Name"], "S3BucketName": p["S3BucketName"], "IncludeGlobalServiceEvents": p.get("IncludeGlobalServiceEvents", True), "IsMultiRegionTrail": p.get("IsMultiRegionTrail", False),
                 "HomeRegion": REGION, "TrailARN": f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{p['Name']}", "LogFileValidationEnabled": p.get("EnableLogFileValidation", False)}
        self.state["trails"][p["Name"]] = {"said": trail, "logging": False, "latest": None, "error": None}
        return {name: value for name, value in trail.items() if name != "HomeRegion"}

    def UpdateTrail(self, p):
        trail = self.trail(p)["said"]
        for name, member in (("IsMultiRegionTrail", "IsMultiRegionTrail"), ("EnableLogFileValidation", "LogFileValidationEnabled")):
            if name in p:
                trail[member] = p[name]
        return {name: value for name, value in trail.items() if name != "HomeRegion"}

    def StartLogging(self, p):
        self.trail(p).update(logging=True, latest=self.now)
        return {}

    def StopLogging(self, p):
        self.trail(p)["logging"] = False
        return {}

    def DescribeTrails(self, p):
        wanted = p.get("trailNameList", [])
        return {"trailList": [trail["said"] for name, trail in sorted(self.state["trails"].items()) if not wanted or name in wanted or trail["said"]["TrailARN"] in wanted]}

    def GetTrailStatus(self, p):
        trail = self.trail(p)
        return {"IsLogging": trail["logging"], **({"LatestDeliveryTime": trail["latest"]} if trail["latest"] else {}), **({"LatestDeliveryError": trail["error"]} if trail["error"] else {})}

    def trail(self, p):
        found = next((trail for name, trail in self.state["trails"].items() if p["Name"] in (name, trail["said"]["TrailARN"])), None)
        if not found:
            raise AwsError("TrailNotFoundException", f"Unknown trail: {p['Name']}")
        return found

    def LookupEvents(self, p):
        now = self.now
        lookups = self.state["lookups"] = [at for at in self.state["lookups"] if at > now - 1]
        if len(lookups) >= 2:
            raise AwsError("ThrottlingException", "Rate exceeded", 400)
        lookups.append(now)
        attributes = p.get("LookupAttributes", [])
        if len(attributes) > 1:
            raise AwsError("InvalidLookupAttributesException", "You can only specify one attribute.")
        start, end = (p[k].timestamp() if k in p else default for k, default in (("StartTime", 0), ("EndTime", now)))
        if start > end:
            raise AwsError("InvalidTimeRangeException", "The start time occurs after the end time.")
        known, at = min(end, now - self.world.settings["cloudtrailDelaySeconds"]), 0
        if p.get("NextToken"):  # what came in since the first page belongs to no page
            try:
                known, at = (float(part) for part in p["NextToken"].split("/"))
            except ValueError:
                raise AwsError("InvalidNextTokenException", "The token is not valid.") from None
        events = [e for e in reversed(self.state["events"]) if start <= e["EventTime"] < known and all(a["AttributeValue"] in ATTRIBUTES[a["AttributeKey"]](e) for a in attributes)]
        items, after = page(events, at, p.get("MaxResults", 50))
        return {"Events": items, "NextToken": after and f"{known!r}/{after}"}
