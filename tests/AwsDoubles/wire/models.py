"""AWS's own models of the services, as botocore carries them, with the few members that are newer than Debian's copy."""

import json
import os

from botocore.model import ServiceModel

DATA = "/usr/lib/python3/dist-packages/botocore/data"

# The signing name in a request's credential scope, and the folder of the model.
SERVICES = {
    "lambda": "lambda",
    "codedeploy": "codedeploy",
    "cloudfront": "cloudfront",
    "monitoring": "cloudwatch",
    "cloudtrail": "cloudtrail",
    "apigateway": "apigateway",
    "s3": "s3",  # and s3control, by its paths
    "securityhub": "securityhub",
    "access-analyzer": "accessanalyzer",
    "iam": "iam",
    "sns": "sns",
    "sts": "sts",
}


def lay(overlay, onto):
    for name, value in overlay.items():
        if isinstance(value, dict) and isinstance(onto.get(name), dict):
            lay(value, onto[name])
        else:
            onto[name] = value


def load(folder):
    root = os.path.join(DATA, folder)
    newest = max(os.listdir(root))
    with open(os.path.join(root, newest, "service-2.json"), encoding="utf-8") as file:
        model = json.load(file)
    with open(os.path.join(os.path.dirname(__file__), "overlay.json"), encoding="utf-8") as file:
        lay(json.load(file).get(folder, {}), model)
    return ServiceModel(model, service_name=folder)


class Models(dict):
    """Each read when it is first asked for: some are large."""

    def __missing__(self, folder):
        self[folder] = load(folder)
        return self[folder]


MODELS = Models()
