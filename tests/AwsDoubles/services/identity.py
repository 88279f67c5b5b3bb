"""AWS IAM's roles and their policies, what those allow, and STS: who a caller is."""

import fnmatch
import json
from urllib.parse import quote

from wire.errors import AwsError

from .service import ACCOUNT, Service, identifier, page

HERE = f"arn:aws:iam::{ACCOUNT}"


class Iam(Service):
    name, source = "iam", "iam.amazonaws.com"

    def __init__(self, world):
        super().__init__(world)
        self.state = {"roles": {}, "policies": {}}

    def CreateRole(self, p):
        if p["RoleName"] in self.state["roles"]:
            raise AwsError("EntityAlreadyExists", f"Role with name {p['RoleName']} already exists.", 409)
        read_policy(p["AssumeRolePolicyDocument"])
        path = p.get("Path", "/")
        role = {"Path": path, "RoleName": p["RoleName"], "RoleId": identifier(17, "AROA"), "Arn": f"{HERE}:role{path}{p['RoleName']}", "CreateDate": self.now, "AssumeRolePolicyDocument": p["AssumeRolePolicyDocument"]}
        self.state["roles"][p["RoleName"]] = {"role": role, "inline": {}, "attached": []}
        return {"Role": said(role)}

    def GetRole(self, p):
        return {"Role": said(self.role(p)["role"])}

    def PutRolePolicy(self, p):
        read_policy(p["PolicyDocument"])
        self.role(p)["inline"][p["PolicyName"]] = p["PolicyDocument"]
        return {}

    def DeleteRolePolicy(self, p):
        self.inline(p)
        del self.role(p)["inline"][p["PolicyName"]]
        return {}

    def GetRolePolicy(self, p):
        return {"RoleName": p["RoleName"], "PolicyName": p["PolicyName"], "PolicyDocument": quote(self.inline(p))}

    def ListRolePolicies(self, p):
        names, after = page(sorted(self.role(p)["inline"]), p.get("Marker"), p.get("MaxItems", 100))
        return {"PolicyNames": names, **more(after)}

    def CreatePolicy(self, p):
        read_policy(p["PolicyDocument"])
        arn = f"{HERE}:policy{p.get('Path', '/')}{p['PolicyName']}"
        if arn in self.state["policies"]:
            raise AwsError("EntityAlreadyExists", f"A policy called {p['PolicyName']} already exists. Duplicate names are not allowed.", 409)
        self.state["policies"][arn] = {"name": p["PolicyName"], "documents": [p["PolicyDocument"]]}
        return {"Policy": {"PolicyName": p["PolicyName"], "Arn": arn, "DefaultVersionId": "v1"}}

    def CreatePolicyVersion(self, p):
        read_policy(p["PolicyDocument"])
        if not p.get("SetAsDefault"):
            raise AwsError("NotImplementedByThisDouble", "A version that is not the default is not part of the double.", 501)
        documents = self.policy(p)["documents"]
        documents.append(p["PolicyDocument"])
        return {"PolicyVersion": {"VersionId": f"v{len(documents)}", "IsDefaultVersion": True, "CreateDate": self.now}}

    def GetPolicy(self, p):
        policy = self.policy(p)
        return {"Policy": {"PolicyName": policy["name"], "Arn": p["PolicyArn"], "DefaultVersionId": f"v{len(policy['documents'])}", "IsAttachable": True}}

    def GetPolicyVersion(self, p):
        documents, number = self.policy(p)["documents"], int(p["VersionId"][1:].split(".")[0])
        if not 1 <= number <= len(documents):
            raise AwsError("NoSuchEntity", f"Policy {p['PolicyArn']} version {p['VersionId']} does not exist or is not attachable.", 404)
        return {"PolicyVersion": {"Document": quote(documents[number - 1]), "VersionId": p["VersionId"], "IsDefaultVersion": number == len(documents)}}

    def AttachRolePolicy(self, p):
        self.policy(p)
        attached = self.role(p)["attached"]
        if p["PolicyArn"] not in attached:
            attached.append(p["PolicyArn"])
        return {}

    def DetachRolePolicy(self, p):
        attached = self.role(p)["attached"]
        if p["PolicyArn"] not in attached:
            raise AwsError("NoSuchEntity", f"Policy {p['PolicyArn']} was not found.", 404)
        attached.remove(p["PolicyArn"])
        return {}

    def ListAttachedRolePolicies(self, p):
        arns, after = page(sorted(self.role(p)["attached"]), p.get("Marker"), p.get("MaxItems", 100))
        return {"AttachedPolicies": [{"PolicyName": self.state["policies"][arn]["name"], "PolicyArn": arn} for arn in arns], **more(after)}

    def SimulatePrincipalPolicy(self, p):
        found = next((it for it in self.state["roles"].values() if it["role"]["Arn"] == p["PolicySourceArn"]), None)
        if not found:
            raise AwsError("NoSuchEntity", f"{p['PolicySourceArn']} cannot be found.", 404)
        statements = [s for document in [*found["inline"].values(), *(self.state["policies"][arn]["documents"][-1] for arn in found["attached"])] for s in read_policy(document)]
        results = []
        for action in p["ActionNames"]:
            specific = [{"EvalResourceName": r, "EvalResourceDecision": decision(statements, action, r)} for r in p.get("ResourceArns", ["*"])]
            decisions = {it["EvalResourceDecision"] for it in specific}
            overall = next(d for d in ("explicitDeny", "implicitDeny", "allowed") if d in decisions)
            results.append({"EvalActionName": action, "EvalResourceName": p.get("ResourceArns", ["*"])[0], "EvalDecision": overall, "ResourceSpecificResults": specific})
        items, after = page(results, p.get("Marker"), p.get("MaxItems", 100))
        return {"EvaluationResults": items, **more(after)}

    def role(self, p):
        if p["RoleName"] not in self.state["roles"]:
            raise AwsError("NoSuchEntity", f"The role with name {p['RoleName']} cannot be found.", 404)
        return self.state["roles"][p["RoleName"]]

    def policy(self, p):
        if p["PolicyArn"] not in self.state["policies"]:
            raise AwsError("NoSuchEntity", f"Policy {p['PolicyArn']} was not found.", 404)
        return self.state["policies"][p["PolicyArn"]]

    def inline(self, p):
        if p["PolicyName"] not in self.role(p)["inline"]:
            raise AwsError("NoSuchEntity", f"The role policy with name {p['PolicyName']} cannot be found.", 404)
        return self.role(p)["inline"][p["PolicyName"]]


class Sts(Service):
    name, source = "sts", "sts.amazonaws.com"

    def GetCallerIdentity(self, p):
        user = self.caller
        if user in self.world.services["iam"].state["roles"]:  # whoever is named as a role has taken it on
            return {"UserId": "AROADOUBLE:session", "Account": ACCOUNT, "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{user}/session"}
        return {"UserId": "AIDADOUBLE", "Account": ACCOUNT, "Arn": f"{HERE}:user/{user}"}


def said(role):
    return {**role, "AssumeRolePolicyDocument": quote(role["AssumeRolePolicyDocument"])}


def more(after):
    return {"IsTruncated": after is not None, **({"Marker": after} if after else {})}


def listed(value):
    return value if isinstance(value, list) else [value]


def read_policy(text):
    try:
        return [statement for statement in listed(json.loads(text)["Statement"]) if statement["Effect"] in ("Allow", "Deny")]
    except (ValueError, KeyError, TypeError):
        raise AwsError("MalformedPolicyDocument", "Syntax errors in policy.", 400) from None


def matches(patterns, text):
    # Brackets are letters in a policy, and a pattern in fnmatch.
    return any(fnmatch.fnmatchcase(text, pattern.replace("[", "[[]")) for pattern in listed(patterns))


def applies(statement, action, resource):
    lower = [it.lower() for it in listed(statement.get("Action", statement.get("NotAction")))]
    on = matches(lower, action.lower()) != ("NotAction" in statement)
    at = statement.get("Resource", statement.get("NotResource", "*"))
    return on and matches(at, resource) != ("NotResource" in statement)


def decision(statements, action, resource):
    effects = {statement["Effect"] for statement in statements if applies(statement, action, resource)}
    return "explicitDeny" if "Deny" in effects else "allowed" if "Allow" in effects else "implicitDeny"
