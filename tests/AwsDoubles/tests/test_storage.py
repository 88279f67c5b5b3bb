"""S3: objects, versions, links that were signed beforehand."""

import base64
import hashlib
import http.client
import tempfile
import time
import unittest.mock
import urllib.error
import urllib.request

from harness import SERVER, DoubleTest, client


def checksum(body):
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


class S3Test(DoubleTest):
    def setUp(self):
        super().setUp()
        self.s3 = client("s3")
        self.s3.create_bucket(Bucket="firmware", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})

    def put(self, body=b"image", key="thermostat/2.4.0 b.bin", **more):
        return self.s3.put_object(Bucket="firmware", Key=key, Body=body, **more)

    def get(self, key="thermostat/2.4.0 b.bin", **more):
        return self.s3.get_object(Bucket="firmware", Key=key, **more)

    def test_objects_come_back_as_they_went(self):
        made = self.put(bytes(range(256)) * 1000, ContentType="application/x-firmware", Metadata={"release": "2.4.0"})
        got = self.get()
        self.assertEqual((bytes(range(256)) * 1000, "application/x-firmware", {"release": "2.4.0"}, made["ETag"]), (got["Body"].read(), got["ContentType"], got["Metadata"], got["ETag"]))
        self.assertEqual(256000, self.s3.head_object(Bucket="firmware", Key="thermostat/2.4.0 b.bin")["ContentLength"])
        part = self.get(Range="bytes=10-12")
        self.assertEqual((b"\n\x0b\x0c", 206, "bytes 10-12/256000"), (part["Body"].read(), part["ResponseMetadata"]["HTTPStatusCode"], part["ContentRange"]))
        self.assertEqual(b"\xff", self.get(Range="bytes=-1")["Body"].read())

    def test_what_is_not_there(self):
        self.fails("NoSuchKey", 404, self.s3.get_object, Bucket="firmware", Key="none")
        self.fails("NoSuchBucket", 404, self.s3.put_object, Bucket="none", Key="k", Body=b"")
        for call in (self.s3.list_objects_v2, self.s3.get_bucket_versioning):
            self.fails("NoSuchBucket", 404, call, Bucket="none")
        self.fails("NoSuchBucket", 404, self.s3.delete_object, Bucket="none", Key="k")
        self.fails("NoSuchBucket", 404, self.s3.put_bucket_versioning, Bucket="none", VersioningConfiguration={"Status": "Enabled"})
        self.s3.head_bucket(Bucket="firmware")
        with self.assertRaises(self.s3.exceptions.ClientError):
            self.s3.head_bucket(Bucket="none")
        self.fails("BucketAlreadyOwnedByYou", 409, self.s3.create_bucket, Bucket="firmware")
        self.put()
        self.fails("InvalidRange", 416, self.get, Range="bytes=99-")
        self.fails("PreconditionFailed", 412, self.get, IfMatch='"other"')
        with self.assertRaises(self.s3.exceptions.ClientError) as caught:
            self.s3.head_object(Bucket="firmware", Key="none")
        self.assertEqual("404", caught.exception.response["Error"]["Code"])
        once = lambda params, **_: params["headers"].update({"If-None-Match": "*"})  # newer than this botocore
        self.s3.meta.events.register("before-call.s3.PutObject", once)
        self.fails("PreconditionFailed", 412, self.put)
        self.s3.meta.events.unregister("before-call.s3.PutObject", once)
        self.admin("POST", "faults", {"service": "s3", "kind": "throttle"})
        self.fails("SlowDown", 503, self.get)

    def test_parts_become_an_object(self):
        big, small = b"a" * (5 << 20), b"tail"
        made = self.s3.create_multipart_upload(Bucket="firmware", Key="big", ChecksumAlgorithm="SHA256")
        asked = {"Bucket": "firmware", "Key": "big", "UploadId": made["UploadId"]}
        self.assertEqual([made["UploadId"]], [it["UploadId"] for it in self.s3.list_multipart_uploads(Bucket="firmware", Prefix="big")["Uploads"]])
        first, second = (self.s3.upload_part(**asked, PartNumber=n, Body=body, ChecksumSHA256=checksum(body)) for n, body in ((1, big), (2, small)))
        self.fails("BadDigest", 400, self.s3.upload_part, **asked, PartNumber=2, Body=b"other", ChecksumSHA256=checksum(small))
        self.assertEqual([(1, len(big), checksum(big)), (2, 4, checksum(small))], [(it["PartNumber"], it["Size"], it["ChecksumSHA256"]) for it in self.s3.list_parts(**asked)["Parts"]])
        self.assertEqual([2], [it["PartNumber"] for it in self.s3.list_parts(**asked, PartNumberMarker=1)["Parts"]])
        parts = [{"PartNumber": n, "ETag": it["ETag"], "ChecksumSHA256": it["ChecksumSHA256"]} for n, it in ((1, first), (2, second))]
        self.fails("InvalidPartOrder", 400, self.s3.complete_multipart_upload, **asked, MultipartUpload={"Parts": parts[::-1]})
        self.fails("InvalidPart", 400, self.s3.complete_multipart_upload, **asked, MultipartUpload={"Parts": [{**parts[0], "ChecksumSHA256": checksum(small)}]})
        self.s3.complete_multipart_upload(**asked, MultipartUpload={"Parts": parts})
        head = self.s3.head_object(Bucket="firmware", Key="big", ChecksumMode="ENABLED")
        composite = base64.b64encode(hashlib.sha256(hashlib.sha256(big).digest() + hashlib.sha256(small).digest()).digest()).decode() + "-2"
        self.assertEqual((len(big) + 4, composite), (head["ContentLength"], head["ChecksumSHA256"]))
        self.assertEqual(big + small, self.get("big")["Body"].read())
        self.fails("NoSuchUpload", 404, self.s3.list_parts, **asked)

    def test_a_part_that_is_too_small_and_an_upload_that_is_given_up(self):
        asked = {"Bucket": "firmware", "Key": "big", "UploadId": self.s3.create_multipart_upload(Bucket="firmware", Key="big")["UploadId"]}
        parts = [{"PartNumber": n, "ETag": self.s3.upload_part(**asked, PartNumber=n, Body=b"x")["ETag"]} for n in (1, 2)]
        self.fails("EntityTooSmall", 400, self.s3.complete_multipart_upload, **asked, MultipartUpload={"Parts": parts})
        self.s3.abort_multipart_upload(**asked)
        self.fails("NoSuchUpload", 404, self.s3.abort_multipart_upload, **asked)
        self.assertNotIn("Uploads", self.s3.list_multipart_uploads(Bucket="firmware"))
        self.put(b"image", ChecksumSHA256=checksum(b"image"))
        self.assertEqual(checksum(b"image"), self.s3.head_object(Bucket="firmware", Key="thermostat/2.4.0 b.bin", ChecksumMode="ENABLED")["ChecksumSHA256"])

    def test_versions_are_kept_where_it_was_asked_for(self):
        self.s3.put_bucket_versioning(Bucket="firmware", VersioningConfiguration={"Status": "Enabled"})
        self.assertEqual("Enabled", self.s3.get_bucket_versioning(Bucket="firmware")["Status"])
        first = self.put(b"1")["VersionId"]
        self.put(b"2")
        self.assertEqual((b"1", b"2"), (self.get(VersionId=first)["Body"].read(), self.get()["Body"].read()))
        self.assertTrue(self.s3.delete_object(Bucket="firmware", Key="thermostat/2.4.0 b.bin")["DeleteMarker"])
        self.fails("NoSuchKey", 404, self.get)
        self.assertEqual(b"1", self.get(VersionId=first)["Body"].read())
        self.fails("NoSuchVersion", 404, self.get, VersionId="none")

    def test_objects_are_listed_in_pages(self):
        for key in ("a/1", "a/2", "b/1"):
            self.put(key=key)
        first = self.s3.list_objects_v2(Bucket="firmware", Prefix="a/", MaxKeys=1)
        self.assertEqual((["a/1"], True), ([o["Key"] for o in first["Contents"]], first["IsTruncated"]))
        second = self.s3.list_objects_v2(Bucket="firmware", Prefix="a/", ContinuationToken=first["NextContinuationToken"])
        self.assertEqual(["a/2"], [o["Key"] for o in second["Contents"]])

    def test_a_link_lasts_as_long_as_it_says_and_for_what_it_says(self):
        self.put()
        link = self.s3.generate_presigned_url("get_object", {"Bucket": "firmware", "Key": "thermostat/2.4.0 b.bin"}, ExpiresIn=60)
        if "X-Amz-Signature" not in link:
            self.fail("this botocore makes links of the old kind: " + link)
        self.assertEqual(b"image", urllib.request.urlopen(link, timeout=10).read())
        self.assertEqual("ota-orchestrator", self.admin("GET", "calls")[-1]["user"])
        for wrong in (link.replace("2.4.0", "2.5.0"), link.replace("Expires=60", "Expires=600")):
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(wrong, timeout=10)
            self.assertEqual((403, True), (refused.exception.code, b"SignatureDoesNotMatch" in refused.exception.read()))
        with unittest.mock.patch("world.time.time", return_value=time.time() + 61), self.assertRaises(urllib.error.HTTPError) as late:
            urllib.request.urlopen(link, timeout=10)
        self.assertIn(b"<Message>Request has expired</Message>", late.exception.read())

    def test_nobody_reads_unsigned(self):
        connection = http.client.HTTPConnection(SERVER.url.removeprefix("http://"), timeout=10)
        connection.request("GET", "/firmware/none?X-Amz-Signature=1")
        self.assertEqual(400, connection.getresponse().status)
        connection.close()
        self.fails("SignatureDoesNotMatch", 403, client("s3", secret="guessed").get_object, Bucket="firmware", Key="k")

    def test_revisions_and_code_are_taken_from_it(self):
        self.put(b"code", key="api.zip")
        made = client("lambda").create_function(FunctionName="api", Role="arn:aws:iam::111122223333:role/r", Runtime="python3.9", Handler="h.h", Code={"S3Bucket": "firmware", "S3Key": "api.zip"})
        same = client("lambda").update_function_code(FunctionName="api", ZipFile=b"code")
        self.assertEqual(same["CodeSha256"], made["CodeSha256"])
        self.fails("InvalidParameterValueException", 400, client("lambda").create_function, FunctionName="x", Role="arn:aws:iam::111122223333:role/r", Runtime="python3.9", Handler="h.h", Code={"S3Bucket": "firmware", "S3Key": "none"})

    def test_the_command_line_does_all_of_it(self):
        self.commands("s3api", ["create-bucket", "--bucket", "cli", "--create-bucket-configuration", "LocationConstraint=eu-central-1"], ["put-bucket-versioning", "--bucket", "cli", "--versioning-configuration", "Status=Enabled"], ["head-bucket", "--bucket", "cli"])
        self.commands("s3api", ["put-object", "--bucket", "cli", "--key", "a b", "--body", __file__], ["list-objects-v2", "--bucket", "cli"], ["head-object", "--bucket", "cli", "--key", "a b"], ["get-bucket-versioning", "--bucket", "cli"])
        with open(__file__, "rb") as file:
            self.assertEqual(file.read(), self.s3.get_object(Bucket="cli", Key="a b")["Body"].read())
        with tempfile.NamedTemporaryFile() as out:
            self.commands("s3api", ["get-object", "--bucket", "cli", "--key", "a b", out.name])
        self.commands("s3api", ["delete-object", "--bucket", "cli", "--key", "a b"])
