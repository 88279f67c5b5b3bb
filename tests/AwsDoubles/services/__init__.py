"""A file per service: the state that the real one documents, and its operations by their names."""

from .apigateway import ApiGateway
from .cloudfront import CloudFront
from .cloudtrail import CloudTrail
from .cloudwatch import CloudWatch
from .codedeploy import CodeDeploy
from .functions import Lambda
from .identity import Iam, Sts
from .posture import AccessAnalyzer, S3Control, SecurityHub
from .service import Service
from .storage import S3


def only_said(folder, source):
    """A service without a double: a test says what it answers; requests are held against the model all the same."""
    return type(folder, (Service,), {"name": folder, "source": source})


SERVICES = {"lambda": Lambda, "codedeploy": CodeDeploy, "cloudfront": CloudFront, "cloudwatch": CloudWatch, "cloudtrail": CloudTrail, "apigateway": ApiGateway, "s3": S3, "s3control": S3Control,
            "securityhub": SecurityHub, "accessanalyzer": AccessAnalyzer, "iam": Iam, "sts": Sts}
SERVICES["sns"] = only_said("sns", "sns.amazonaws.com")
