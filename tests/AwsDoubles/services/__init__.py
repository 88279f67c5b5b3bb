"""A file per service: the state that the real one documents, and its operations by their names."""

from .cloudtrail import CloudTrail
from .cloudwatch import CloudWatch
from .functions import Lambda

SERVICES = {"lambda": Lambda, "cloudwatch": CloudWatch, "cloudtrail": CloudTrail}
