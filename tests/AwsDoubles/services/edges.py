"""CloudFront's edges: what a viewer gets who asks a distribution for a path, by a link that was signed (canned policy), and what the edges remember of it."""

import base64
import fnmatch
import os
import subprocess
import tempfile
from urllib.parse import parse_qs

from wire.errors import AwsError
from wire.http import Reply

from .service import identifier

SIGNING = ("Expires", "Signature", "Key-Pair-Id")


class Edges:
    """Part of CloudFront. Needs a state with keys and groups, and memories that are no state: an account does not have them."""

    def CreatePublicKey(self, p):
        config = p["PublicKeyConfig"]
        if "BEGIN PUBLIC KEY" not in config["EncodedKey"]:
            raise AwsError("InvalidArgument", "The parameter EncodedKey is not a valid public key.")
        name = identifier(13, "K")
        self.state["keys"][name] = config
        return {"PublicKey": {"Id": name, "CreatedTime": self.now, "PublicKeyConfig": config}, "ETag": identifier(13, "E")}

    def CreateKeyGroup(self, p):
        config = p["KeyGroupConfig"]
        if not set(config["Items"]) <= set(self.state["keys"]):
            raise AwsError("InvalidArgument", "The key group has a public key that does not exist.")
        name = identifier(32).lower()
        self.state["groups"][name] = config
        return {"KeyGroup": {"Id": name, "LastModifiedTime": self.now, "KeyGroupConfig": config}, "ETag": identifier(13, "E")}

    def serve(self, request, name):
        """`request.path` as the viewer wrote it, its host as the link says."""
        distribution = self.state["distributions"].get(name)
        if not distribution or not distribution["config"]["Enabled"]:
            return refusal(403, "AccessDenied", "no distribution answers to this name")
        behaviour = next((b for b in distribution["config"]["CacheBehaviors"].get("Items", []) if fnmatch.fnmatchcase(request.path, b["PathPattern"])), distribution["config"]["DefaultCacheBehavior"])
        trusted = behaviour.get("TrustedKeyGroups", {})
        if trusted.get("Enabled") and (wrong := self.unsigned(request, trusted.get("Items", []))):
            return refusal(403, *wrong)
        memory = self.memories.setdefault(name, {})
        if request.path not in memory:
            origin = next(o for o in distribution["config"]["Origins"]["Items"] if o["Id"] == behaviour["TargetOriginId"])
            memory[request.path] = self.fetch(origin, request.path)
        return memory[request.path]

    def unsigned(self, request, groups):
        """What is wrong with a link's signature: code and message; None for a good one."""
        given = {k: v[0] for k, v in parse_qs(request.query).items()}
        if missing := [name for name in SIGNING if name not in given]:
            return "MissingKey", f"Missing {', '.join(missing)} query parameter"
        if given["Key-Pair-Id"] not in {key for group in groups for key in self.state["groups"][group]["Items"]}:
            return "InvalidKey", "Unknown Key"
        others = "&".join(part for part in request.query.split("&") if part.split("=")[0] not in SIGNING)
        resource = f"https://{request.headers['host']}{request.path}" + (f"?{others}" if others else "")
        policy = f'{{"Statement":[{{"Resource":"{resource}","Condition":{{"DateLessThan":{{"AWS:EpochTime":{given["Expires"]}}}}}}}]}}'
        if not verified(self.state["keys"][given["Key-Pair-Id"]]["EncodedKey"], policy.encode(), given["Signature"]):
            return "AccessDenied", "Access denied"
        return None if int(given["Expires"]) > self.now else ("AccessDenied", "Access denied: it is past its time")

    def fetch(self, origin, path):
        bucket, _, rest = origin["DomainName"].partition(".s3.")
        if not rest:
            return refusal(502, "OriginError", "only buckets are origins here")
        found = self.world.services["s3"].state["buckets"].get(bucket, {"objects": {}})["objects"].get((origin.get("OriginPath", "") + path)[1:], [])
        # Who may not list a bucket is not told what is missing in it.
        return Reply(200, {"Content-Type": "binary/octet-stream"}, found[-1]["body"]) if found and not found[-1]["deleted"] else refusal(403, "AccessDenied", "Access Denied")

    def forget(self, distribution, patterns):
        memory = self.memories.get(distribution, {})
        for path in [path for path in memory if any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)]:
            del memory[path]


def refusal(status, code, message):
    return Reply(status, {"Content-Type": "text/xml"}, f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode())


def verified(key, policy, signature):
    try:
        given = base64.b64decode(signature.replace("-", "+").replace("_", "=").replace("~", "/"), validate=True)
    except ValueError:
        return False
    with tempfile.TemporaryDirectory() as folder:
        files = {name: os.path.join(folder, name) for name in ("key", "signature")}
        for name, content in (("key", key.encode()), ("signature", given)):
            with open(files[name], "wb") as file:
                file.write(content)
        return subprocess.run(["openssl", "dgst", "-sha1", "-verify", files["key"], "-signature", files["signature"]], input=policy, capture_output=True, check=False).returncode == 0
