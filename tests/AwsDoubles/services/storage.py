"""Amazon S3: buckets of objects with versions, as far as firmware and revisions need it."""

import hashlib
import re

from wire.errors import AwsError

from .service import Service, identifier, page

STORED = ("ContentType", "CacheControl", "ContentDisposition", "ContentEncoding", "Metadata", "ServerSideEncryption")


class S3(Service):
    name, source = "s3", "s3.amazonaws.com"
    data_events = ("PutObject", "GetObject", "HeadObject", "DeleteObject")

    def __init__(self, world):
        super().__init__(world)
        self.state = {"buckets": {}}

    def CreateBucket(self, p):
        if p["Bucket"] in self.state["buckets"]:
            raise AwsError("BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.", 409)
        self.state["buckets"][p["Bucket"]] = {"versioning": None, "objects": {}}
        return {"Location": "/" + p["Bucket"]}

    def HeadBucket(self, p):
        self.bucket(p)
        return {}

    def PutBucketVersioning(self, p):
        self.bucket(p)["versioning"] = p["VersioningConfiguration"].get("Status")
        return {}

    def GetBucketVersioning(self, p):
        return {"Status": self.bucket(p)["versioning"]}

    def PutObject(self, p):
        bucket, body = self.bucket(p), p.get("Body", b"")
        versions = bucket["objects"].get(p["Key"], [])
        if p.get("IfNoneMatch") == "*" and versions and not versions[-1]["deleted"]:
            raise AwsError("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)
        stored = {"ContentType": "binary/octet-stream", **{k: p[k] for k in STORED if k in p}}
        version = {"body": body, "etag": f'"{hashlib.md5(body).hexdigest()}"', "stored": stored, "LastModified": self.now, "deleted": False}
        self.add(bucket, p["Key"], version)
        return {"ETag": version["etag"], **({"VersionId": version["version"]} if version["version"] else {})}

    def add(self, bucket, key, version):
        version["version"] = identifier(32) if bucket["versioning"] == "Enabled" else None
        kept = bucket["objects"].get(key, []) if version["version"] else []
        bucket["objects"][key] = kept + [version]

    def HeadObject(self, p):
        version = self.object(p)
        return {**self.described(version), "ContentLength": len(version["body"])}

    def GetObject(self, p):
        version = self.object(p)
        described, body = self.described(version), version["body"]
        if p.get("IfMatch", version["etag"]).strip('"') != version["etag"].strip('"'):
            raise AwsError("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)
        if "Range" in p:
            first, last = span(p["Range"], len(body))
            described.update(ContentRange=f"bytes {first}-{last}/{len(body)}", _status=206)
            body = body[first:last + 1]
        return {**described, "Body": body}

    def DeleteObject(self, p):
        bucket = self.bucket(p)
        if bucket["versioning"] == "Enabled" and "VersionId" not in p:
            self.add(bucket, p["Key"], {"body": b"", "etag": "", "stored": {}, "LastModified": self.now, "deleted": True})
            return {"DeleteMarker": True, "VersionId": bucket["objects"][p["Key"]][-1]["version"]}
        left = [v for v in bucket["objects"].pop(p["Key"], []) if "VersionId" in p and v["version"] != p["VersionId"]]
        if left:
            bucket["objects"][p["Key"]] = left
        return {}

    def ListObjectsV2(self, p):
        bucket = self.bucket(p)
        keys = sorted(k for k, versions in bucket["objects"].items() if k.startswith(p.get("Prefix", "")) and k > p.get("StartAfter", "") and not versions[-1]["deleted"])
        items, after = page(keys, p.get("ContinuationToken"), p.get("MaxKeys", 1000))
        contents = [{"Key": k, "Size": len(v["body"]), "ETag": v["etag"], "LastModified": v["LastModified"], "StorageClass": "STANDARD"} for k in items for v in bucket["objects"][k][-1:]]
        return {"Name": p["Bucket"], "Prefix": p.get("Prefix", ""), "KeyCount": len(items), "MaxKeys": p.get("MaxKeys", 1000), "IsTruncated": after is not None, "NextContinuationToken": after, "Contents": contents}

    def bucket(self, p):
        if p["Bucket"] not in self.state["buckets"]:
            raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404)
        return self.state["buckets"][p["Bucket"]]

    def object(self, p):
        versions = self.bucket(p)["objects"].get(p["Key"], [])
        found = next((v for v in reversed(versions) if p.get("VersionId") in (None, v["version"])), None)
        if not found and "VersionId" in p:
            raise AwsError("NoSuchVersion", "The specified version does not exist.", 404)
        if not found or found["deleted"]:
            raise AwsError("NoSuchKey", "The specified key does not exist.", 404)
        return found

    def described(self, version):
        return {**version["stored"], "ETag": version["etag"], "LastModified": version["LastModified"], "AcceptRanges": "bytes", "VersionId": version["version"]}

    def content(self, bucket, key, version=None):
        """For the other services; None if there is no such object."""
        versions = self.state["buckets"].get(bucket, {"objects": {}})["objects"].get(key, [])
        return next((v["body"] for v in reversed(versions) if version in (None, v["version"]) and not v["deleted"]), None)

    def resources(self, operation, parameters, output):
        return [("AWS::S3::Bucket", parameters["Bucket"])]

    def snapshot(self, history):
        """What lies there, by digest; without history only the newest of each."""
        return {
            name: {key: [hashlib.sha256(v["body"]).hexdigest() for v in (versions if history else versions[-1:]) if not v["deleted"]] for key, versions in bucket["objects"].items()}
            for name, bucket in self.state["buckets"].items()}


def span(text, size):
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", text)
    if match and match[1]:
        first, last = int(match[1]), min(int(match[2] or size - 1), size - 1)
    elif match and match[2]:
        first, last = max(0, size - int(match[2])), size - 1
    else:
        first, last = 0, -1
    if first > last:
        raise AwsError("InvalidRange", "The requested range is not satisfiable", 416)
    return first, last
