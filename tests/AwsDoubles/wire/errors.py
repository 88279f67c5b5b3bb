"""An error of AWS, and each service's own words for those that every service has."""


class AwsError(Exception):
    def __init__(self, code, message, status=None, **members):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status, self.members = code, message, status, members


class ModelViolation(AwsError):
    """A request that the official model does not allow. Kept, so that a test can demand that there were none."""

    def __init__(self, code, problems):
        super().__init__(code, f"{len(problems)} validation error{'s' * (len(problems) > 1)} detected: " + "; ".join(problems), 400)
        self.problems = problems


INVALID = {
    "lambda": "ValidationException",
    "codedeploy": "ValidationException",
    "cloudfront": "InvalidArgument",
    "cloudwatch": "ValidationError",
    "cloudtrail": "ValidationException",
    "apigateway": "BadRequestException",
    "s3": "InvalidRequest",
    "s3control": "InvalidRequest",
}


QUERY = ("cloudwatch", "iam", "sns", "sts")


def invalid(service):
    return INVALID.get(service, "ValidationError" if service in QUERY else "ValidationException")


def throttled(service):
    if service == "lambda":
        return AwsError("TooManyRequestsException", "Rate Exceeded.", 429, Reason="CallerRateLimitExceeded", retryAfterSeconds="1")
    if service == "apigateway":
        return AwsError("TooManyRequestsException", "Too Many Requests", 429, retryAfterSeconds="1")
    if service in ("s3", "s3control"):
        return AwsError("SlowDown", "Please reduce your request rate.", 503)
    code = "Throttling" if service in ("cloudfront", *QUERY) else "ThrottlingException"
    return AwsError(code, "Rate exceeded", 400)


def denied(service, operation, user):
    code = "AccessDenied" if service in ("cloudfront", "s3", "s3control", *QUERY) else "AccessDeniedException"
    message = f"User: arn:aws:iam::111122223333:user/{user} is not authorized to perform: {service}:{operation} because no identity-based policy allows the {service}:{operation} action"
    return AwsError(code, message, 400 if service in ("codedeploy", "cloudtrail") else 403)


def broken(service):
    code = {"lambda": "ServiceException", "cloudwatch": "InternalFailure", "cloudfront": "InternalError", "s3": "InternalError", "s3control": "InternalError"}.get(service, "InternalFailure")
    return AwsError(code, "The request processing has failed because of an unknown error, exception or failure.", 500)
