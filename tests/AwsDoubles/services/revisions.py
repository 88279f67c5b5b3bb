"""CodeDeploy's revisions: what names them, and the AppSpec in them (as JSON, which is YAML too)."""

import hashlib
import json

from wire.errors import AwsError

PARTS = {"S3": "s3Location", "GitHub": "gitHubLocation", "String": "string", "AppSpecContent": "appSpecContent"}


class Failure(Exception):
    """A deployment that fails: CodeDeploy accepts it first, and says so later."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code, self.message = code, message


def checked(revision):
    kind = revision.get("revisionType")
    part = revision.get(PARTS.get(kind, ""))
    if part is None or kind not in PARTS:
        raise AwsError("InvalidRevisionException", f"The revision of type {kind} was specified incorrectly.")
    if kind == "S3" and not (part.get("bucket") and part.get("key") and part.get("bundleType")):
        raise AwsError("InvalidRevisionException", "A revision in S3 needs bucket, key and bundleType.")
    if kind in ("String", "AppSpecContent"):
        content = part.get("content", "")
        if part.get("sha256", digest(content)) != digest(content):
            raise AwsError("InvalidRevisionException", "The SHA256 of the content is another.")
    return revision


def digest(content):
    return hashlib.sha256(content.encode()).hexdigest()


def known_as(revision):
    """What tells one revision from another."""
    part = revision[PARTS[revision["revisionType"]]]
    if "content" in part:
        return digest(part["content"])
    return "/".join(str(part[k]) for k in ("bucket", "key", "version", "eTag", "repository", "commitId") if part.get(k))


def names(revision):
    """By which a load's rates may call it."""
    part = revision[PARTS[revision["revisionType"]]]
    return [known_as(revision)] + [part[k] for k in ("key", "commitId") if k in part]


def resource(revision, objects, kind):
    """The properties of the AppSpec's one resource of the kind."""
    part = revision[PARTS[revision["revisionType"]]]
    content = part.get("content") or objects.get(f"{part.get('bucket')}/{part.get('key')}")
    if content is None:
        raise Failure("REVISION_MISSING", "The revision was not found.")
    try:
        (described,) = [r for entry in json.loads(content)["Resources"] for r in entry.values()]
        properties = described["Properties"]
        right = described["Type"] == kind
    except (ValueError, KeyError, TypeError, AttributeError):
        right = False
    if not right:
        raise Failure("INVALID_REVISION", f"The AppSpec file needs one resource of type {kind} (this double reads it as JSON).")
    return properties
