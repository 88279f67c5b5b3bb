"""What AWS itself found wrong in an account: Security Hub, IAM Access Analyzer, and S3's account-wide block of public access."""

from datetime import datetime, timezone

from wire.errors import AwsError

from .service import ACCOUNT, REGION, Service, page

STRINGS = {
    "RecordState": lambda f: f["RecordState"], "WorkflowStatus": lambda f: f["Workflow"]["Status"], "SeverityLabel": lambda f: f["Severity"]["Label"],
    "AwsAccountId": lambda f: f["AwsAccountId"], "Id": lambda f: f["Id"], "ProductArn": lambda f: f["ProductArn"], "ComplianceStatus": lambda f: f.get("Compliance", {}).get("Status"),
}
COMPARED = {"EQUALS": lambda a, b: a == b, "NOT_EQUALS": lambda a, b: a != b, "PREFIX": lambda a, b: (a or "").startswith(b)}


class SecurityHub(Service):
    name, source = "securityhub", "securityhub.amazonaws.com"

    def __init__(self, world):
        super().__init__(world)
        self.state = {"enabled": False, "findings": []}

    def EnableSecurityHub(self, p):
        self.state["enabled"] = True
        return {}

    def DisableSecurityHub(self, p):
        self.hub()
        self.state["enabled"] = False
        return {}

    def DescribeHub(self, p):
        self.hub()
        return {"HubArn": f"arn:aws:securityhub:{REGION}:{ACCOUNT}:hub/default", "SubscribedAt": "2026-01-01T00:00:00.000Z", "AutoEnableControls": True}

    def BatchImportFindings(self, p):
        self.hub()
        given = {f["Id"]: {"RecordState": "ACTIVE", "Workflow": {"Status": "NEW"}, **f} for f in p["Findings"]}
        self.state["findings"] = [f for f in self.state["findings"] if f["Id"] not in given] + list(given.values())
        return {"FailedCount": 0, "SuccessCount": len(given), "FailedFindings": []}

    def GetFindings(self, p):
        self.hub()
        filters = p.get("Filters", {})
        unknown = set(filters) - set(STRINGS) - {"CreatedAt", "UpdatedAt"}
        if unknown:
            raise AwsError("NotImplementedByThisDouble", f"filters {sorted(unknown)}", 501)
        found = [f for f in self.state["findings"] if all(self.passes(f, name, rules) for name, rules in filters.items())]
        items, after = page(found, p.get("NextToken"), p.get("MaxResults", 100))
        return {"Findings": items, **({"NextToken": after} if after else {})}

    def passes(self, finding, name, rules):
        """Several values of one filter: any of them; NOT_EQUALS: all of them."""
        if name in STRINGS:
            held = [COMPARED[rule.get("Comparison", "EQUALS")](STRINGS[name](finding), rule["Value"]) for rule in rules]
            return all(held) if any(rule.get("Comparison") == "NOT_EQUALS" for rule in rules) else any(held)
        at = moment(finding[name])
        return any(moment(rule.get("Start", "1970-01-01T00:00:00Z")) <= at <= moment(rule.get("End", "9999-01-01T00:00:00Z")) for rule in rules)

    def hub(self):
        if not self.state["enabled"]:
            raise AwsError("InvalidAccessException", f"Account {ACCOUNT} is not subscribed to AWS Security Hub", 401)


class AccessAnalyzer(Service):
    name, source = "accessanalyzer", "access-analyzer.amazonaws.com"

    def __init__(self, world):
        super().__init__(world)
        self.state = {"analyzers": {}, "findings": []}

    def CreateAnalyzer(self, p):
        arn = f"arn:aws:access-analyzer:{REGION}:{ACCOUNT}:analyzer/{p['analyzerName']}"
        self.state["analyzers"][arn] = {"arn": arn, "name": p["analyzerName"], "type": p["type"], "createdAt": self.now, "status": "ACTIVE"}
        return {"arn": arn}

    def ListAnalyzers(self, p):
        found = [a for a in self.state["analyzers"].values() if p.get("type") in (None, a["type"])]
        items, after = page(found, p.get("nextToken"), p.get("maxResults", 100))
        return {"analyzers": items, **({"nextToken": after} if after else {})}

    def ListFindings(self, p):
        if p["analyzerArn"] not in self.state["analyzers"]:
            raise AwsError("ResourceNotFoundException", "The analyzer does not exist.", 404, resourceId=p["analyzerArn"], resourceType="analyzer")
        filters = p.get("filter", {})
        if set(filters) - {"status"} or any(set(rule) - {"eq"} for rule in filters.values()):
            raise AwsError("NotImplementedByThisDouble", f"filters {filters}", 501)
        found = [f for f in self.state["findings"] if f["analyzer"] == p["analyzerArn"] and all(f["said"][name] in rule["eq"] for name, rule in filters.items())]
        items, after = page([f["said"] for f in found], p.get("nextToken"), p.get("maxResults", 100))
        return {"findings": items, **({"nextToken": after} if after else {})}

    def discover(self, analyzer, resource, kind, public):
        """Found by the analyzer itself; no client can add one."""
        arn = next(a["arn"] for a in self.state["analyzers"].values() if a["name"] == analyzer)
        self.state["findings"].append({"analyzer": arn, "said": {
            "id": f"finding-{len(self.state['findings']) + 1}", "resource": resource, "resourceType": kind, "isPublic": public, "condition": {}, "createdAt": self.world_time(), "analyzedAt": self.world_time(),
            "updatedAt": self.world_time(), "status": "ACTIVE", "resourceOwnerAccount": ACCOUNT}})

    @staticmethod
    def world_time():
        return datetime.now(timezone.utc).timestamp()


class S3Control(Service):
    name, source = "s3control", "s3.amazonaws.com"

    def __init__(self, world):
        super().__init__(world)
        self.state = {"block": None}

    def PutPublicAccessBlock(self, p):
        self.own(p)
        self.state["block"] = p["PublicAccessBlockConfiguration"]
        return {}

    def DeletePublicAccessBlock(self, p):
        self.own(p)
        self.state["block"] = None
        return {"_status": 204}

    def GetPublicAccessBlock(self, p):
        self.own(p)
        if self.state["block"] is None:
            raise AwsError("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found", 404)
        return {"PublicAccessBlockConfiguration": self.state["block"]}

    def own(self, p):
        if p["AccountId"] != ACCOUNT:
            raise AwsError("AccessDenied", "Access Denied", 403)


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
