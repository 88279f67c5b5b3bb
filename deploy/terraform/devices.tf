# What a device may: be itself, take its jobs, and say in its shadow what it runs.

locals {
  device  = "$${iot:Connection.Thing.ThingName}"
  iot_arn = "arn:${data.aws_partition.this.partition}:iot:${data.aws_region.this.name}:${data.aws_caller_identity.this.account_id}"
  topics  = ["$aws/things/${local.device}/jobs/*", "$aws/things/${local.device}/shadow/name/ota/*"]
}

resource "aws_iot_policy" "device" {
  name = "${var.name}-device"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Action    = "iot:Connect"
        Resource  = "${local.iot_arn}:client/${local.device}"
        Condition = { Bool = { "iot:Connection.Thing.IsAttached" = "true" } }
      },
      {
        Effect   = "Allow"
        Action   = ["iot:Publish", "iot:Receive"]
        Resource = [for topic in local.topics : "${local.iot_arn}:topic/${topic}"]
      },
      {
        Effect   = "Allow"
        Action   = "iot:Subscribe"
        Resource = [for topic in local.topics : "${local.iot_arn}:topicfilter/${topic}"]
      },
    ]
  })
}

# Credentials by certificate, for agents that read firmware with their own instead of by a link.
resource "aws_iam_role" "device" {
  name = "${var.name}-device"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "credentials.iot.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "device" {
  name = "read-firmware"
  role = aws_iam_role.device.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "s3:GetObject"
      Resource = "${aws_s3_bucket.firmware.arn}/*"
    }]
  })
}

resource "aws_iot_role_alias" "device" {
  alias    = "${var.name}-device"
  role_arn = aws_iam_role.device.arn
}

# There is one of it in an account and region: who has one already imports it.
resource "aws_iot_indexing_configuration" "this" {
  thing_indexing_configuration {
    thing_indexing_mode              = "REGISTRY_AND_SHADOW"
    thing_connectivity_indexing_mode = "STATUS"
    named_shadow_indexing_mode       = "ON"

    filter {
      named_shadow_names = ["ota"]
    }
  }
}
