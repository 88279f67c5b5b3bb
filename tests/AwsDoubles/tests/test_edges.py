"""What viewers get from CloudFront, by links that botocore signed."""

import datetime
import subprocess
import tempfile
import urllib.error
import urllib.request

from botocore.signers import CloudFrontSigner
from harness import SERVER, DoubleTest, client

DOMAIN, SOON = "fw.example.com", datetime.datetime(2099, 1, 1, tzinfo=datetime.timezone.utc)
PRIVATE, OTHER = (subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], capture_output=True, check=True).stdout.decode() for _ in range(2))


def public(key):
    return subprocess.run(["openssl", "pkey", "-pubout"], input=key.encode(), capture_output=True, check=True).stdout.decode()


def signed(message, key):
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(key)
        file.flush()
        return subprocess.run(["openssl", "dgst", "-sha1", "-sign", file.name], input=message, capture_output=True, check=True).stdout


class EdgesTest(DoubleTest):
    def setUp(self):
        super().setUp()
        self.front, self.s3 = client("cloudfront"), client("s3")
        self.s3.create_bucket(Bucket="fw", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        self.key = self.front.create_public_key(PublicKeyConfig={"CallerReference": "k", "Name": "k", "EncodedKey": public(PRIVATE)})["PublicKey"]["Id"]
        self.group = self.front.create_key_group(KeyGroupConfig={"Name": "g", "Items": [self.key]})["KeyGroup"]["Id"]
        self.distribution = self.distribute("signed", {"Enabled": True, "Quantity": 1, "Items": [self.group]})

    def distribute(self, name, trusted):
        origin = {"Id": "fw", "DomainName": "fw.s3.eu-central-1.amazonaws.com", "OriginPath": "", "S3OriginConfig": {"OriginAccessIdentity": ""}}
        behaviour = {"TargetOriginId": "fw", "ViewerProtocolPolicy": "https-only", "TrustedKeyGroups": trusted, "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"}
        made = self.front.create_distribution(DistributionConfig={"CallerReference": name, "Comment": "", "Enabled": True, "Origins": {"Quantity": 1, "Items": [origin]}, "DefaultCacheBehavior": behaviour})
        return made["Distribution"]["Id"]

    def link(self, path, until=SOON, private=PRIVATE, key=None):
        return CloudFrontSigner(key or self.key, lambda message: signed(message, private)).generate_presigned_url(f"https://{DOMAIN}{path}", date_less_than=until).removeprefix(f"https://{DOMAIN}")

    def get(self, target, distribution=None, host=DOMAIN):
        request = urllib.request.Request(f"{SERVER.url}/_edge/{distribution or self.distribution}{target}", headers={"Host": host})
        try:
            with urllib.request.urlopen(request, timeout=20) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read()

    def forget(self, *paths):
        made = self.front.create_invalidation(DistributionId=self.distribution, InvalidationBatch={"CallerReference": "/".join(paths), "Paths": {"Quantity": len(paths), "Items": list(paths)}})["Invalidation"]["Id"]
        statuses = [self.front.get_invalidation(DistributionId=self.distribution, Id=made)["Invalidation"]["Status"] for _ in range(2)]
        self.assertEqual("Completed", statuses[-1])

    def test_a_signed_link_opens_what_it_was_signed_for_and_nothing_else(self):
        for name in ("a", "b"):
            self.s3.put_object(Bucket="fw", Key=name, Body=name.encode() * 9)
        self.assertEqual((200, b"aaaaaaaaa"), self.get(self.link("/a")))
        for target in ("/a", self.link("/a").replace("/a", "/b", 1), self.link("/a", datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)), self.link("/a", private=OTHER), self.link("/a", key="KUNKNOWN"),
                       self.link("/a").replace("Expires=4", "Expires=5"), self.link("/a").replace("Signature=", "Signature=!")):
            self.assertEqual(403, self.get(target)[0], target)
        self.assertEqual(403, self.get(self.link("/a"), host="other.example.com")[0])
        self.assertEqual(403, self.get(self.link("/a"), distribution="E000000000000")[0])

    def test_who_trusts_nobody_hands_out_to_everybody(self):
        self.s3.put_object(Bucket="fw", Key="a", Body=b"a")
        self.assertEqual((200, b"a"), self.get("/a", self.distribute("open", {"Enabled": False, "Quantity": 0})))

    def test_an_edge_remembers_no_until_it_is_told_to_forget(self):
        self.assertEqual(403, self.get(self.link("/a"))[0])
        self.s3.put_object(Bucket="fw", Key="a", Body=b"a")
        self.assertEqual(403, self.get(self.link("/a"))[0])
        self.forget("/b")
        self.assertEqual(403, self.get(self.link("/a"))[0])
        self.forget("/*")
        self.assertEqual((200, b"a"), self.get(self.link("/a")))

    def test_keys_and_groups_are_checked(self):
        self.fails("InvalidArgument", 400, self.front.create_public_key, PublicKeyConfig={"CallerReference": "x", "Name": "x", "EncodedKey": "no key"})
        self.fails("InvalidArgument", 400, self.front.create_key_group, KeyGroupConfig={"Name": "x", "Items": ["KNONE"]})
