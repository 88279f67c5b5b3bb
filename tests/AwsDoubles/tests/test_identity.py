"""IAM's roles and policies, and STS."""

import json

from harness import KEYS, DoubleTest, client

TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}]})
ROLE = "arn:aws:iam::111122223333:role/ota"


def policy(effect, action, resource="*"):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": resource}]})


class IdentityTest(DoubleTest):
    def setUp(self):
        super().setUp()
        self.iam = client("iam")
        self.iam.create_role(RoleName="ota", AssumeRolePolicyDocument=TRUST)

    def decide(self, action, *resources):
        result = self.iam.simulate_principal_policy(PolicySourceArn=ROLE, ActionNames=[action], **({"ResourceArns": list(resources)} if resources else {}))["EvaluationResults"][0]
        return result["EvalDecision"], [it["EvalResourceDecision"] for it in result["ResourceSpecificResults"]]

    def test_a_role_is_what_was_written(self):
        role = self.iam.get_role(RoleName="ota")["Role"]
        self.assertEqual((ROLE, "sts:AssumeRole"), (role["Arn"], role["AssumeRolePolicyDocument"]["Statement"][0]["Action"]))
        self.iam.put_role_policy(RoleName="ota", PolicyName="own", PolicyDocument=policy("Allow", "s3:GetObject"))
        arn = self.iam.create_policy(PolicyName="shared", PolicyDocument=policy("Allow", "lambda:GetAlias"))["Policy"]["Arn"]
        self.iam.attach_role_policy(RoleName="ota", PolicyArn=arn)
        self.assertEqual(["own"], self.iam.list_role_policies(RoleName="ota")["PolicyNames"])
        self.assertEqual("s3:GetObject", self.iam.get_role_policy(RoleName="ota", PolicyName="own")["PolicyDocument"]["Statement"][0]["Action"])
        self.assertEqual([{"PolicyName": "shared", "PolicyArn": arn}], self.iam.list_attached_role_policies(RoleName="ota")["AttachedPolicies"])
        self.iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy("Allow", "lambda:*"), SetAsDefault=True)
        version = self.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        self.assertEqual("lambda:*", self.iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]["Statement"][0]["Action"])
        self.assertEqual("lambda:GetAlias", self.iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]["Statement"][0]["Action"])
        self.iam.detach_role_policy(RoleName="ota", PolicyArn=arn)
        self.iam.delete_role_policy(RoleName="ota", PolicyName="own")
        self.assertEqual([], self.iam.list_attached_role_policies(RoleName="ota")["AttachedPolicies"] + self.iam.list_role_policies(RoleName="ota")["PolicyNames"])

    def test_a_policy_allows_what_it_says_and_a_denial_wins(self):
        self.assertEqual(("implicitDeny", ["implicitDeny"]), self.decide("lambda:GetAlias"))
        self.iam.put_role_policy(RoleName="ota", PolicyName="own", PolicyDocument=policy("Allow", ["lambda:get*"], ["arn:aws:lambda:*:*:function:api*"]))
        api, other = "arn:aws:lambda:eu-central-1:111122223333:function:api", "arn:aws:lambda:eu-central-1:111122223333:function:web"
        self.assertEqual(("implicitDeny", ["allowed", "implicitDeny"]), self.decide("lambda:GetAlias", api, other))
        self.assertEqual(("implicitDeny", ["implicitDeny"]), self.decide("lambda:UpdateAlias", api))
        arn = self.iam.create_policy(PolicyName="no", PolicyDocument=policy("Deny", "lambda:GetAlias"))["Policy"]["Arn"]
        self.iam.attach_role_policy(RoleName="ota", PolicyArn=arn)
        self.assertEqual("explicitDeny", self.decide("lambda:GetAlias", api)[0])

    def test_what_is_not_there_or_no_policy(self):
        self.fails("NoSuchEntity", 404, self.iam.get_role, RoleName="nobody")
        self.fails("NoSuchEntity", 404, self.iam.get_role_policy, RoleName="ota", PolicyName="none")
        self.fails("EntityAlreadyExists", 409, self.iam.create_role, RoleName="ota", AssumeRolePolicyDocument=TRUST)
        self.fails("MalformedPolicyDocument", 400, self.iam.put_role_policy, RoleName="ota", PolicyName="own", PolicyDocument='{"Statement": "all"}')
        self.fails("NoSuchEntity", 404, self.iam.attach_role_policy, RoleName="ota", PolicyArn="arn:aws:iam::111122223333:policy/none")
        self.violates("RoleName", self.iam.get_role, RoleName="a role")

    def test_pages(self):
        for name in "abc":
            self.iam.put_role_policy(RoleName="ota", PolicyName=name, PolicyDocument=policy("Allow", "s3:GetObject"))
        first = self.iam.list_role_policies(RoleName="ota", MaxItems=2)
        self.assertEqual((True, ["a", "b"]), (first["IsTruncated"], first["PolicyNames"]))
        self.assertEqual(["c"], self.iam.list_role_policies(RoleName="ota", Marker=first["Marker"])["PolicyNames"])

    def test_who_am_i(self):
        self.assertEqual("arn:aws:iam::111122223333:user/ota-orchestrator", client("sts").get_caller_identity()["Arn"])
        self.iam.create_role(RoleName=KEYS["AKIDORCHESTRATOR"][1], AssumeRolePolicyDocument=TRUST)
        self.assertEqual("arn:aws:sts::111122223333:assumed-role/ota-orchestrator/session", client("sts").get_caller_identity()["Arn"])

    def test_the_command_line(self):
        printed = self.commands("iam", ["get-role", "--role-name", "ota"], ["simulate-principal-policy", "--policy-source-arn", ROLE, "--action-names", "s3:GetObject"])
        self.assertEqual((ROLE, "implicitDeny"), (printed[0]["Role"]["Arn"], printed[1]["EvaluationResults"][0]["EvalDecision"]))
        self.assertEqual("111122223333", self.commands("sts", ["get-caller-identity"])[0]["Account"])
