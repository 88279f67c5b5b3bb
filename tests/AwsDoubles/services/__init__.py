"""A file per service: the state that the real one documents, and its operations by their names."""

from .apigateway import ApiGateway
from .cloudfront import CloudFront
from .cloudtrail import CloudTrail
from .cloudwatch import CloudWatch
from .codedeploy import CodeDeploy
from .functions import Lambda
from .identity import Iam, Sts
from .notifications import Sns
from .posture import AccessAnalyzer, S3Control, SecurityHub
from .storage import S3

SERVICES = {"lambda": Lambda, "codedeploy": CodeDeploy, "cloudfront": CloudFront, "cloudwatch": CloudWatch, "cloudtrail": CloudTrail, "apigateway": ApiGateway, "s3": S3, "s3control": S3Control,
            "securityhub": SecurityHub, "accessanalyzer": AccessAnalyzer, "iam": Iam, "sns": Sns, "sts": Sts}
