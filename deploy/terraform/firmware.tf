# Images: put there once, named by their SHA-256, never overwritten, never public, only over TLS.

resource "aws_s3_bucket" "firmware" {
  bucket              = "${var.name}-firmware-${data.aws_caller_identity.this.account_id}"
  object_lock_enabled = true
}

resource "aws_s3_bucket_versioning" "firmware" {
  bucket = aws_s3_bucket.firmware.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_object_lock_configuration" "firmware" {
  bucket = aws_s3_bucket_versioning.firmware.bucket

  rule {
    default_retention {
      mode = "GOVERNANCE"
      days = var.firmware_retention_days
    }
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "firmware" {
  bucket = aws_s3_bucket.firmware.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "firmware" {
  bucket                  = aws_s3_bucket.firmware.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# What an upload that was given up has left costs, and nobody sees it.
resource "aws_s3_bucket_lifecycle_configuration" "firmware" {
  bucket = aws_s3_bucket.firmware.id

  rule {
    id     = "abandoned-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

data "aws_iam_policy_document" "firmware" {
  statement {
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.firmware.arn, "${aws_s3_bucket.firmware.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "firmware" {
  bucket = aws_s3_bucket_public_access_block.firmware.bucket
  policy = data.aws_iam_policy_document.firmware.json
}

# Signs the links in devices' documents, each time a device fetches its document.
resource "aws_iam_role" "presign" {
  name = "${var.name}-presign"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "iot.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.this.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "presign" {
  name = "read-firmware"
  role = aws_iam_role.presign.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:GetObjectVersion"]
      Resource = "${aws_s3_bucket.firmware.arn}/*"
    }]
  })
}

# What AWS IoT does in the name of this role when it makes an OTA update.
resource "aws_iam_role_policy" "updates" {
  count = var.freertos ? 1 : 0

  name = "make-updates"
  role = aws_iam_role.presign.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["iot:CreateJob", "iot:CreateStream"]
        Resource = "*"
      },
      {
        Effect   = "Allow"
        Action   = ["iot:DescribeJob", "iot:DeleteJob", "iot:DeleteStream"]
        Resource = ["${local.iot_arn}:job/AFR_OTA-*", "${local.iot_arn}:stream/AFR_OTA-*"]
      },
      {
        Effect   = "Allow"
        Action   = ["s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucketLocation"]
        Resource = aws_s3_bucket.firmware.arn
      },
      {
        Effect   = "Allow"
        Action   = "iam:PassRole"
        Resource = aws_iam_role.presign.arn
      },
    ]
  })
}
