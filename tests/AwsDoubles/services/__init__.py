"""A file per service: the state that the real one documents, and its operations by their names."""

from .apigateway import ApiGateway
from .cloudfront import CloudFront
from .cloudtrail import CloudTrail
from .cloudwatch import CloudWatch
from .codedeploy import CodeDeploy
from .functions import Lambda

SERVICES = {"lambda": Lambda, "codedeploy": CodeDeploy, "cloudfront": CloudFront, "cloudwatch": CloudWatch, "cloudtrail": CloudTrail, "apigateway": ApiGateway}
