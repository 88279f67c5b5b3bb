# The server's role: the policies of ../iam, which are written from the calls in the code, filled in for this account.

locals {
  account = {
    partition = data.aws_partition.this.partition
    region    = data.aws_region.this.name
    account   = data.aws_caller_identity.this.account_id
  }

  iot = {
    for fleet in var.fleets : "iot-fleet-${fleet}" => templatefile("${path.module}/../iam/iot-fleet.json", merge(local.account, {
      fleet            = fleet
      firmware_bucket  = aws_s3_bucket.firmware.bucket
      presign_role_arn = aws_iam_role.presign.arn
    }))
  }

  lambda = {
    for function, bucket in var.functions : "lambda-${function}" => templatefile("${path.module}/../iam/lambda.json", merge(local.account, {
      function    = function
      code_bucket = bucket
    }))
  }

  codedeploy = {
    for application, group in var.deployment_groups : "codedeploy-${application}" => templatefile("${path.module}/../iam/codedeploy.json", merge(local.account, {
      application      = application
      deployment_group = group
    }))
  }

  apigateway = {
    for api, stage in var.stages : "apigateway-${api}" => templatefile("${path.module}/../iam/apigateway.json", merge(local.account, {
      rest_api = api
      stage    = stage
    }))
  }

  everywhere = merge(
    {
      cloudwatch = templatefile("${path.module}/../iam/cloudwatch.json", local.account)
      cloudtrail = templatefile("${path.module}/../iam/cloudtrail.json", local.account)
      controls   = templatefile("${path.module}/../iam/controls.json", local.account)
    },
    var.cloudfront ? { cloudfront = templatefile("${path.module}/../iam/cloudfront.json", local.account) } : {},
    var.firmware_distribution == "" ? {} : {
      firmware-edge = templatefile("${path.module}/../iam/firmware-edge.json", merge(local.account, { firmware_distribution = var.firmware_distribution }))
    },
  )

  policies = merge(local.iot, local.lambda, local.codedeploy, local.apigateway, local.everywhere)
}

data "aws_iam_policy_document" "orchestrator" {
  dynamic "statement" {
    for_each = length(var.orchestrator_services) > 0 ? [var.orchestrator_services] : []

    content {
      actions = ["sts:AssumeRole"]

      principals {
        type        = "Service"
        identifiers = statement.value
      }
    }
  }

  dynamic "statement" {
    for_each = length(var.orchestrator_principals) > 0 ? [var.orchestrator_principals] : []

    content {
      actions = ["sts:AssumeRole"]

      principals {
        type        = "AWS"
        identifiers = statement.value
      }
    }
  }
}

resource "aws_iam_role" "orchestrator" {
  name               = "${var.name}-orchestrator"
  assume_role_policy = data.aws_iam_policy_document.orchestrator.json

  lifecycle {
    precondition {
      condition     = length(var.orchestrator_services) + length(var.orchestrator_principals) > 0
      error_message = "Say in orchestrator_services or orchestrator_principals who runs the server."
    }
  }
}

resource "aws_iam_policy" "orchestrator" {
  for_each = local.policies

  name   = "${var.name}-${each.key}"
  policy = each.value
}

resource "aws_iam_role_policy_attachment" "orchestrator" {
  for_each = aws_iam_policy.orchestrator

  role       = aws_iam_role.orchestrator.name
  policy_arn = each.value.arn
}
