"""Amazon S3: buckets of objects with versions, as far as firmware and revisions need it."""

import base64
import hashlib
import os
import re
import tempfile

from wire.errors import AwsError

from .service import Service, identifier, page

STORED = ("ContentType", "CacheControl", "ContentDisposition", "ContentEncoding", "Metadata", "ServerSideEncryption")

PRIVATE = {name: True for name in ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")}  # as every new bucket has it


class S3(Service):
    name, source = "s3", "s3.amazonaws.com"
    data_events = ("PutObject", "GetObject", "HeadObject", "DeleteObject")

    def __init__(self, world):
        super().__init__(world)
        self.state = {"buckets": {}}
        self.folders = {}

    def CreateBucket(self, p):
        if p["Bucket"] in self.state["buckets"]:
            raise AwsError("BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.", 409)
        locked = p.get("ObjectLockEnabledForBucket", False)
        self.state["buckets"][p["Bucket"]] = {"versioning": "Enabled" if locked else None, "lock": {"ObjectLockEnabled": "Enabled"} if locked else None, "block": PRIVATE, "objects": {}, "uploads": {}}
        return {"Location": "/" + p["Bucket"]}

    def HeadBucket(self, p):
        self.bucket(p)
        return {}

    def PutBucketVersioning(self, p):
        self.bucket(p)["versioning"] = p["VersioningConfiguration"].get("Status")
        return {}

    def GetBucketVersioning(self, p):
        return {"Status": self.bucket(p)["versioning"]}

    def PutObjectLockConfiguration(self, p):
        if not self.bucket(p)["lock"]:
            raise AwsError("InvalidBucketState", "Object Lock configuration cannot be enabled on existing buckets", 409)
        self.bucket(p)["lock"] = p["ObjectLockConfiguration"]
        return {}

    def GetObjectLockConfiguration(self, p):
        if not self.bucket(p)["lock"]:
            raise AwsError("ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket", 404)
        return {"ObjectLockConfiguration": self.bucket(p)["lock"]}

    def PutPublicAccessBlock(self, p):
        self.bucket(p)["block"] = p["PublicAccessBlockConfiguration"]
        return {}

    def DeletePublicAccessBlock(self, p):
        self.bucket(p)["block"] = None
        return {"_status": 204}

    def GetPublicAccessBlock(self, p):
        if not self.bucket(p)["block"]:
            raise AwsError("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found", 404)
        return {"PublicAccessBlockConfiguration": self.bucket(p)["block"]}

    def PutObject(self, p):
        bucket, body = self.bucket(p), p.get("Body", b"")
        versions = bucket["objects"].get(p["Key"], [])
        if p.get("IfNoneMatch") == "*" and versions and not versions[-1]["deleted"]:
            raise AwsError("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)
        stored = {"ContentType": "binary/octet-stream", **{k: p[k] for k in STORED if k in p}}
        version = {"body": body, "etag": f'"{hashlib.md5(body).hexdigest()}"', "stored": stored, "LastModified": self.now, "deleted": False}
        self.add(bucket, p["Key"], version)
        if "ChecksumSHA256" in p:
            version["sha256"] = p["ChecksumSHA256"]
        return {"ETag": version["etag"], **self.marks(version)}

    def marks(self, version):
        return {**({"VersionId": version["version"]} if version["version"] else {}), **({"ChecksumSHA256": version["sha256"]} if "sha256" in version else {})}

    def CreateMultipartUpload(self, p):
        bucket, upload = self.bucket(p), identifier(32)
        bucket["uploads"][upload] = {"key": p["Key"], "algorithm": p.get("ChecksumAlgorithm"), "stored": {k: p[k] for k in STORED if k in p}, "Initiated": self.now, "parts": {}}
        return {"Bucket": p["Bucket"], "Key": p["Key"], "UploadId": upload, **({"ChecksumAlgorithm": p["ChecksumAlgorithm"]} if "ChecksumAlgorithm" in p else {})}

    def UploadPart(self, p):
        upload, body = self.upload(p), p.get("Body", b"")
        if not 1 <= p["PartNumber"] <= 10000:
            raise AwsError("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive", 400)
        if upload["algorithm"] == "SHA256" and "ChecksumSHA256" not in p:
            raise AwsError("InvalidRequest", "The upload was created using a sha256 checksum. The part has none.", 400)
        part = {"body": body, "etag": f'"{hashlib.md5(body).hexdigest()}"', "LastModified": self.now}
        if "ChecksumSHA256" in p:
            part["sha256"] = p["ChecksumSHA256"]
        upload["parts"][p["PartNumber"]] = part
        return {"ETag": part["etag"], **({"ChecksumSHA256": part["sha256"]} if "sha256" in part else {})}

    def ListParts(self, p):
        upload = self.upload(p)
        numbers, after = page(sorted(upload["parts"]), p.get("PartNumberMarker") and str(p["PartNumberMarker"]), p.get("MaxParts", 1000))
        parts = [{"PartNumber": n, "ETag": upload["parts"][n]["etag"], "Size": len(upload["parts"][n]["body"]), "LastModified": upload["parts"][n]["LastModified"],
                  **({"ChecksumSHA256": upload["parts"][n]["sha256"]} if "sha256" in upload["parts"][n] else {})} for n in numbers]
        return {"Bucket": p["Bucket"], "Key": p["Key"], "UploadId": p["UploadId"], "IsTruncated": after is not None, "NextPartNumberMarker": after and int(after), "MaxParts": p.get("MaxParts", 1000), "Parts": parts}

    def ListMultipartUploads(self, p):
        uploads = [{"UploadId": upload, "Key": it["key"], "Initiated": it["Initiated"]} for upload, it in self.bucket(p)["uploads"].items() if it["key"].startswith(p.get("Prefix", ""))]
        return {"Bucket": p["Bucket"], "IsTruncated": False, "Uploads": sorted(uploads, key=lambda it: (it["Key"], it["Initiated"], it["UploadId"]))}

    def AbortMultipartUpload(self, p):
        self.upload(p)
        del self.bucket(p)["uploads"][p["UploadId"]]
        return {}

    def CompleteMultipartUpload(self, p):
        upload, bucket, parts = self.upload(p), self.bucket(p), p.get("MultipartUpload", {}).get("Parts", [])
        numbers = [part.get("PartNumber") for part in parts]
        if not parts or numbers != sorted(set(numbers)):
            raise AwsError("InvalidPartOrder", "The list of parts was not in ascending order.", 400)
        for part in parts:
            there = upload["parts"].get(part["PartNumber"])
            if not there or part.get("ETag", "").strip('"') != there["etag"].strip('"') or part.get("ChecksumSHA256") != there.get("sha256"):
                raise AwsError("InvalidPart", "One or more of the specified parts could not be found.", 400)
            if part["PartNumber"] != numbers[-1] and len(there["body"]) < 5 << 20:
                raise AwsError("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", 400)
        chosen = [upload["parts"][n] for n in numbers]
        digests = b"".join(hashlib.md5(part["body"]).digest() for part in chosen)
        version = {"body": b"".join(part["body"] for part in chosen), "etag": f'"{hashlib.md5(digests).hexdigest()}-{len(chosen)}"', "stored": {"ContentType": "binary/octet-stream", **upload["stored"]},
                   "LastModified": self.now, "deleted": False}
        if all("sha256" in part for part in chosen):
            version["sha256"] = base64.b64encode(hashlib.sha256(b"".join(base64.b64decode(part["sha256"]) for part in chosen)).digest()).decode() + f"-{len(chosen)}"
        self.add(bucket, upload["key"], version)
        del bucket["uploads"][p["UploadId"]]
        return {"Location": f"/{p['Bucket']}/{upload['key']}", "Bucket": p["Bucket"], "Key": upload["key"], "ETag": version["etag"], **self.marks(version)}

    def upload(self, p):
        found = self.bucket(p)["uploads"].get(p["UploadId"])
        if not found or found["key"] != p["Key"]:
            raise AwsError("NoSuchUpload", "The specified multipart upload does not exist. The upload ID might be invalid, or the multipart upload might have been aborted or completed.", 404)
        return found

    def add(self, bucket, key, version):
        version["version"] = identifier(32) if bucket["versioning"] == "Enabled" else None
        kept = bucket["objects"].get(key, []) if version["version"] else []
        bucket["objects"][key] = kept + [version]
        for folder in (folder for name, folder in self.folders.items() if self.state["buckets"].get(name) is bucket and "/" not in key and not version["deleted"]):
            with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
                file.write(version["body"])
            os.replace(file.name, os.path.join(folder, key))

    def HeadObject(self, p):
        version = self.object(p)
        return {**self.described(version), **({"ChecksumSHA256": version["sha256"]} if p.get("ChecksumMode") == "ENABLED" and "sha256" in version else {}), "ContentLength": len(version["body"])}

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
