"""Amazon CloudFront: distributions and invalidations; continuous deployment is in staging.py, what viewers get in edges.py."""

import copy

from wire.errors import AwsError

from .edges import Edges
from .quantities import counted, tidy
from .service import ACCOUNT, Service, identifier, page
from .staging import Staging

DEFAULTS = {
    "Aliases": {"Quantity": 0}, "DefaultRootObject": "", "OriginGroups": {"Quantity": 0}, "CacheBehaviors": {"Quantity": 0}, "CustomErrorResponses": {"Quantity": 0},
    "Logging": {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""}, "PriceClass": "PriceClass_All",
    "ViewerCertificate": {"CloudFrontDefaultCertificate": True, "MinimumProtocolVersion": "TLSv1", "CertificateSource": "cloudfront"},
    "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}}, "WebACLId": "", "HttpVersion": "http2", "IsIPV6Enabled": True, "ContinuousDeploymentPolicyId": "", "Staging": False,
}
SUMMARY = ("Aliases", "Origins", "OriginGroups", "DefaultCacheBehavior", "CacheBehaviors", "CustomErrorResponses", "Comment", "PriceClass", "Enabled", "ViewerCertificate", "Restrictions", "WebACLId", "HttpVersion", "IsIPV6Enabled", "Staging")


class CloudFront(Staging, Edges, Service):
    name, source = "cloudfront", "cloudfront.amazonaws.com"
    history = ("invalidations",)

    def __init__(self, world):
        super().__init__(world)
        self.state = {"distributions": {}, "policies": {}, "invalidations": {}, "keys": {}, "groups": {}}
        self.memories = {}

    # Distributions

    def CreateDistribution(self, p):
        config = self.whole(p["DistributionConfig"])
        same = self.referred(config["CallerReference"])
        if same:
            if same["config"] != config:
                raise AwsError("DistributionAlreadyExists", "The caller reference that you are using to create a distribution is associated with another distribution.")
            return self.located(same)
        self.allowed(config, None)
        return self.located(self.add(config))

    def add(self, config):
        name = identifier(13, "E")
        distribution = {"Id": name, "ARN": f"arn:aws:cloudfront::{ACCOUNT}:distribution/{name}", "DomainName": f"{identifier(14, 'd').lower()}.cloudfront.net", "config": config, "etags": []}
        self.changed(distribution)
        self.state["distributions"][name] = distribution
        return distribution

    def GetDistribution(self, p):
        distribution = self.distribution(p["Id"])
        shown = self.shown(distribution)
        distribution["pending"] = max(0, distribution["pending"] - 1)
        return {"Distribution": shown, "ETag": distribution["etag"]}

    def GetDistributionConfig(self, p):
        distribution = self.distribution(p["Id"])
        return {"DistributionConfig": distribution["config"], "ETag": distribution["etag"]}

    def UpdateDistribution(self, p):
        distribution = self.distribution(p["Id"])
        self.match(distribution, p.get("IfMatch"))
        config, old = self.whole(p["DistributionConfig"]), distribution["config"]
        for fixed in ("CallerReference", "Staging"):
            if config[fixed] != old[fixed]:
                raise AwsError("IllegalUpdate", f"{fixed} can't be updated.")
        self.allowed(config, distribution)
        distribution["config"] = config
        self.changed(distribution)
        return {"Distribution": self.shown(distribution), "ETag": distribution["etag"]}

    def DeleteDistribution(self, p):
        distribution = self.distribution(p["Id"])
        self.match(distribution, p.get("IfMatch"))
        if distribution["config"]["Enabled"] or distribution["pending"] > 0:
            raise AwsError("DistributionNotDisabled", "The distribution you are trying to delete has not been disabled.")
        if self.policy_of(distribution):
            raise AwsError("StagingDistributionInUse", "A continuous deployment policy for this staging distribution exists.", 409)
        del self.state["distributions"][p["Id"]]
        return {}

    def ListDistributions(self, p):
        items, after = page(list(self.state["distributions"].values()), p.get("Marker"), int(p.get("MaxItems", 100)))
        told = [{**{k: v for k, v in self.shown(d).items() if k not in ("DistributionConfig", "InProgressInvalidationBatches")}, **{k: d["config"][k] for k in SUMMARY}} for d in items]
        listed = {"Marker": p.get("Marker", ""), "MaxItems": int(p.get("MaxItems", 100)), "IsTruncated": after is not None, "Quantity": len(told), "NextMarker": after}
        return {"DistributionList": {**listed, **({"Items": told} if told else {})}}

    def distribution(self, name):
        if name not in self.state["distributions"]:
            raise AwsError("NoSuchDistribution", "The specified distribution does not exist.")
        return self.state["distributions"][name]

    def referred(self, reference):
        return next((d for d in self.state["distributions"].values() if d["config"]["CallerReference"] == reference), None)

    def shown(self, distribution):
        invalidating = sum(i["distribution"] == distribution["Id"] and i["pending"] > 0 for i in self.state["invalidations"].values())
        status = "InProgress" if distribution["pending"] > 0 else "Deployed"
        return {**{k: distribution[k] for k in ("Id", "ARN", "DomainName", "LastModifiedTime")}, "Status": status, "InProgressInvalidationBatches": invalidating, "DistributionConfig": distribution["config"]}

    def located(self, distribution):
        return {"Distribution": self.shown(distribution), "ETag": distribution["etag"], "Location": f"https://cloudfront.amazonaws.com/2020-05-31/distribution/{distribution['Id']}"}

    def changed(self, resource):
        """Each write has an ETag of its own, and takes a while to reach all edges."""
        resource["etag"] = identifier(13, "E")
        resource["etags"].append(resource["etag"])
        resource["LastModifiedTime"] = self.now
        resource["pending"] = self.world.settings["cloudfrontPendingReads"]

    def match(self, resource, etag):
        if self.forced:
            return
        if etag not in resource["etags"]:
            raise AwsError("InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource.")
        if etag != resource["etag"]:
            raise AwsError("PreconditionFailed", "The request failed because it didn't meet the preconditions in one or more request-header fields.")

    def whole(self, config):
        """What a request leaves out has its default: an update replaces everything."""
        counted(config, "DistributionConfig")
        return tidy({**copy.deepcopy(DEFAULTS), **config})

    def allowed(self, config, distribution):
        origins = [o["Id"] for o in config["Origins"].get("Items", [])]
        if config["DefaultCacheBehavior"]["TargetOriginId"] not in origins:
            raise AwsError("NoSuchOrigin", "One or more of your origins or origin groups do not exist.")
        for other in self.state["distributions"].values():
            if other is not distribution and not config["Staging"] and set(config["Aliases"].get("Items", [])) & set(other["config"]["Aliases"].get("Items", [])):
                raise AwsError("CNAMEAlreadyExists", "One or more of the CNAMEs you provided are already associated with a different resource.")
        self.policy_allowed(config, distribution)

    # Invalidations

    def CreateInvalidation(self, p):
        self.distribution(p["DistributionId"])
        batch = p["InvalidationBatch"]
        counted(batch, "InvalidationBatch")
        if not batch["Paths"].get("Items") or not all(path.startswith("/") for path in batch["Paths"]["Items"]):
            raise AwsError("InvalidArgument", "Your request contains one or more invalid invalidation paths.")
        same = next((i for i in self.state["invalidations"].values() if i["distribution"] == p["DistributionId"] and i["batch"]["CallerReference"] == batch["CallerReference"]), None)
        if same and same["batch"] != batch:
            raise AwsError("InvalidArgument", "The caller reference was used for another batch of paths.")
        if not same:
            same = {"Id": identifier(13, "I"), "distribution": p["DistributionId"], "batch": batch, "CreateTime": self.now, "pending": self.world.settings["cloudfrontPendingReads"]}
            self.state["invalidations"][same["Id"]] = same
        self.carry_out(same)
        location = f"https://cloudfront.amazonaws.com/2020-05-31/distribution/{p['DistributionId']}/invalidation/{same['Id']}"
        return {"Invalidation": invalidation(same), "Location": location}

    def GetInvalidation(self, p):
        self.distribution(p["DistributionId"])
        found = self.state["invalidations"].get(p["Id"])
        if not found or found["distribution"] != p["DistributionId"]:
            raise AwsError("NoSuchInvalidation", "The specified invalidation does not exist.")
        self.carry_out(found)
        shown = invalidation(found)
        found["pending"] = max(0, found["pending"] - 1)
        return {"Invalidation": shown}

    def carry_out(self, found):
        """An edge has forgotten when, and only when, the invalidation says so."""
        if found["pending"] == 0 and not found.get("done"):
            found["done"] = True
            self.forget(found["distribution"], found["batch"]["Paths"]["Items"])

    # What the doubles and the tests need

    def touch(self, operation, parameters):
        part = "policies" if "Policy" in operation else "distributions"
        resource = self.state[part][parameters.get("Id") or parameters["PrimaryDistributionId"]]
        pending = resource["pending"]
        self.changed(resource)
        resource["pending"] = pending

    def resources(self, operation, parameters, output):
        if "Policy" in operation:
            return [("AWS::CloudFront::ContinuousDeploymentPolicy", n) for n in (parameters.get("Id"), output.get("ContinuousDeploymentPolicy", {}).get("Id")) if n]
        named = {parameters.get(k) for k in ("Id", "DistributionId", "PrimaryDistributionId", "StagingDistributionId")} | {output.get("Distribution", {}).get("Id")}
        return [("AWS::CloudFront::Distribution", n) for n in sorted(filter(None, named)) if not n.startswith("I")]


def invalidation(found):
    return {"Id": found["Id"], "Status": "InProgress" if found["pending"] > 0 else "Completed", "CreateTime": found["CreateTime"], "InvalidationBatch": found["batch"]}
