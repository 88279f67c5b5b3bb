"""CloudFront's continuous deployment: a staging distribution beside the primary one, and the policy that sends it users."""

import copy

from wire.errors import AwsError

from .quantities import counted
from .service import identifier

LARGEST_SHARE = 0.15


class Staging:
    def CopyDistribution(self, p):
        primary = self.distribution(p["PrimaryDistributionId"])
        self.match(primary, p.get("IfMatch"))
        if not p.get("Staging"):
            raise AwsError("InvalidArgument", "Staging must be true: a distribution is copied to a staging distribution only.")
        if primary["config"]["Staging"]:
            raise AwsError("InvalidArgument", "A staging distribution can't be copied.")
        without_http3(primary["config"])
        own = {"CallerReference": p["CallerReference"], "Staging": True, "Aliases": {"Quantity": 0}, "ContinuousDeploymentPolicyId": "", "Enabled": p.get("Enabled", True)}
        config = {**copy.deepcopy(primary["config"]), **own}
        same = self.referred(p["CallerReference"])
        if same and same.get("copied") != {"from": p["PrimaryDistributionId"], "config": config}:
            raise AwsError("DistributionAlreadyExists", "The caller reference that you are using to create a distribution is associated with another distribution.")
        if not same:
            same = self.add(config)
            same["copied"] = {"from": p["PrimaryDistributionId"], "config": copy.deepcopy(config)}
        return self.located(same)

    def UpdateDistributionWithStagingConfig(self, p):
        primary = self.distribution(p["Id"])
        if "StagingDistributionId" not in p:
            raise AwsError("InvalidArgument", "The staging distribution's id is missing.")
        staging = self.distribution(p["StagingDistributionId"])
        etags = [part.strip().strip('"') for part in p.get("IfMatch", "").split(",")] + ["", ""]
        self.match(primary, etags[0])
        self.match(staging, etags[1])
        policy = self.state["policies"].get(primary["config"]["ContinuousDeploymentPolicyId"])
        if primary["config"]["Staging"] or not policy or self.policy_of(staging) is not policy:
            raise AwsError("IllegalUpdate", "The primary distribution's continuous deployment policy does not name this staging distribution.")
        kept = {k: primary["config"][k] for k in ("CallerReference", "Aliases", "ContinuousDeploymentPolicyId", "Staging")}
        primary["config"] = {**copy.deepcopy(staging["config"]), **kept}
        self.changed(primary)
        policy["config"] = {**policy["config"], "Enabled": False}
        self.changed(policy)
        return {"Distribution": self.shown(primary), "ETag": primary["etag"]}

    # Policies

    def CreateContinuousDeploymentPolicy(self, p):
        config = self.checked(p["ContinuousDeploymentPolicyConfig"], None)
        policy = {"Id": identifier(36).lower(), "config": config, "etags": []}
        self.changed(policy)
        self.state["policies"][policy["Id"]] = policy
        return {**self.told(policy), "Location": f"https://cloudfront.amazonaws.com/2020-05-31/continuous-deployment-policy/{policy['Id']}"}

    def GetContinuousDeploymentPolicy(self, p):
        return self.told(self.policy(p["Id"]))

    def GetContinuousDeploymentPolicyConfig(self, p):
        policy = self.policy(p["Id"])
        return {"ContinuousDeploymentPolicyConfig": policy["config"], "ETag": policy["etag"]}

    def UpdateContinuousDeploymentPolicy(self, p):
        policy = self.policy(p["Id"])
        self.match(policy, p.get("IfMatch"))
        policy["config"] = self.checked(p["ContinuousDeploymentPolicyConfig"], policy)
        self.changed(policy)
        return self.told(policy)

    def DeleteContinuousDeploymentPolicy(self, p):
        policy = self.policy(p["Id"])
        self.match(policy, p.get("IfMatch"))
        if any(d["config"]["ContinuousDeploymentPolicyId"] == policy["Id"] for d in self.state["distributions"].values()):
            raise AwsError("ContinuousDeploymentPolicyInUse", "You cannot delete a continuous deployment policy that is associated with a primary distribution.")
        del self.state["policies"][policy["Id"]]
        return {}

    def ListContinuousDeploymentPolicies(self, p):
        items = [{"ContinuousDeploymentPolicy": self.told(policy)["ContinuousDeploymentPolicy"]} for policy in self.state["policies"].values()]
        return {"ContinuousDeploymentPolicyList": {"MaxItems": int(p.get("MaxItems", 100)), "Quantity": len(items), **({"Items": items} if items else {})}}

    def policy(self, name):
        if name not in self.state["policies"]:
            raise AwsError("NoSuchContinuousDeploymentPolicy", "The continuous deployment policy doesn't exist.")
        return self.state["policies"][name]

    def policy_of(self, staging):
        return next((p for p in self.state["policies"].values() if staging["DomainName"] in p["config"]["StagingDistributionDnsNames"].get("Items", [])), None)

    def told(self, policy):
        return {"ContinuousDeploymentPolicy": {"Id": policy["Id"], "LastModifiedTime": policy["LastModifiedTime"], "ContinuousDeploymentPolicyConfig": policy["config"]}, "ETag": policy["etag"]}

    def checked(self, config, policy):
        counted(config, "ContinuousDeploymentPolicyConfig")
        for name in config["StagingDistributionDnsNames"].get("Items", []):
            staging = next((d for d in self.state["distributions"].values() if d["DomainName"] == name and d["config"]["Staging"]), None)
            if not staging:
                raise AwsError("InvalidArgument", f"{name} is no staging distribution.")
            if self.policy_of(staging) not in (None, policy):
                raise AwsError("StagingDistributionInUse", "A continuous deployment policy for this staging distribution already exists.")
        traffic = config.get("TrafficConfig", {})
        weight, header = traffic.get("SingleWeightConfig"), traffic.get("SingleHeaderConfig")
        if traffic and (traffic["Type"] == "SingleWeight") != (weight is not None) or traffic and (traffic["Type"] == "SingleHeader") != (header is not None):
            raise AwsError("InvalidArgument", "The traffic configuration does not fit its type.")
        if weight and not 0 <= weight["Weight"] <= LARGEST_SHARE:
            raise AwsError("InvalidArgument", f"The weight must be between 0 and {LARGEST_SHARE}.")
        sticky = (weight or {}).get("SessionStickinessConfig")
        if sticky and not 300 <= sticky["IdleTTL"] <= sticky["MaximumTTL"] <= 3600:
            raise AwsError("InvalidArgument", "IdleTTL and MaximumTTL must be between 300 and 3600 seconds, and IdleTTL not greater than MaximumTTL.")
        if header and not header["Header"].startswith("aws-cf-cd-"):
            raise AwsError("InvalidArgument", "The header's name must begin with aws-cf-cd-.")
        return config

    def policy_allowed(self, config, distribution):
        name = config["ContinuousDeploymentPolicyId"]
        if not name:
            return
        self.policy(name)
        if config["Staging"]:
            raise AwsError("InvalidArgument", "A staging distribution has no continuous deployment policy.")
        without_http3(config)
        if any(d is not distribution and d["config"]["ContinuousDeploymentPolicyId"] == name for d in self.state["distributions"].values()):
            raise AwsError("InvalidArgument", "The continuous deployment policy belongs to another distribution.")

    def serving(self, resource):
        """Who answers the users of a primary distribution."""
        primary = self.distribution(resource)
        policy = self.state["policies"].get(primary["config"]["ContinuousDeploymentPolicyId"])
        share, staging = 0, None
        if policy and policy["config"]["Enabled"]:
            staging = next((d for d in self.state["distributions"].values() if self.policy_of(d) is policy and d["config"]["Enabled"]), None)
            share = policy["config"].get("TrafficConfig", {}).get("SingleWeightConfig", {}).get("Weight", 0) if staging else 0
        return [part(primary, 1 - share)] + ([part(staging, share)] if share else [])


def part(distribution, share):
    config = distribution["config"]
    origin = next(o for o in config["Origins"]["Items"] if o["Id"] == config["DefaultCacheBehavior"]["TargetOriginId"])
    path = origin.get("OriginPath", "")
    versions = [origin["DomainName"] + path, path, origin["DomainName"], distribution["Id"]]
    return {"namespace": "AWS/CloudFront", "share": share, "versions": versions, "dimensions": [{"DistributionId": distribution["Id"], "Region": "Global"}]}


def without_http3(config):
    if "3" in config["HttpVersion"]:
        raise AwsError("InvalidArgument", "Continuous deployment is not supported for distributions with HTTP/3.")
