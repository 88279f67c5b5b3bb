"""A traffic routing configuration as steps: (share of the new, seconds after the step before)."""


def shares(routing, service):
    if routing["type"] == "TimeBasedCanary":
        canary = routing["timeBasedCanary"]
        return [(canary["canaryPercentage"] / 100, 0), (1, service.minutes(canary["canaryInterval"]))]
    if routing["type"] == "TimeBasedLinear":
        linear = routing["timeBasedLinear"]
        percents = [*range(linear["linearPercentage"], 100, linear["linearPercentage"]), 100]
        return [(percent / 100, service.minutes(linear["linearInterval"]) if index else 0) for index, percent in enumerate(percents)]
    return [(1, 0)]
