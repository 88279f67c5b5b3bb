"""What a test asks of the doubles themselves, under /_double/: no signature, JSON in and out."""

import json
from urllib.parse import parse_qs

from wire import encode
from wire.errors import AwsError
from wire.http import Reply
from wire.models import MODELS


def handle(world, request):
    name = f"{request.method} {request.path.removeprefix('/_double/')}"
    if name not in ROUTES:
        return answer(404, {"error": f"no {name}", "routes": sorted(ROUTES)})
    try:
        body = json.loads(request.body or b"{}")
        query = {k: v[0] for k, v in parse_qs(request.query).items()}
        if name in UNLOCKED:
            return answer(200, ROUTES[name](world, body, query))
        with world.lock:
            return answer(200, ROUTES[name](world, body, query))
    except AwsError as failure:
        return answer(400, {"error": failure.code, "message": failure.message})
    except (KeyError, ValueError, TypeError) as failure:
        return answer(400, {"error": type(failure).__name__, "message": str(failure)})


def answer(status, document):
    return Reply(status, {"Content-Type": "application/json"}, json.dumps(document, sort_keys=True, separators=(",", ":")).encode())


def calls(world, body, query):
    return world.calls[int(query.get("from", 0)):]


def snapshot(world, body, query):
    return world.snapshot(query.get("service"), query.get("history") != "false")


def add_fault(world, body, query):
    return world.faults.add(body)


def act(world, body, query):
    """A change by somebody, now: {service, operation, parameters, user}."""
    reply = world.act(body["service"], body["operation"], body.get("parameters", {}), body.get("user", "somebody"))
    return {"status": reply.status}


def settings(world, body, query):
    unknown = set(body) - set(world.settings)
    if unknown:
        raise ValueError(f"no such settings: {sorted(unknown)}; there are {sorted(world.settings)}")
    world.settings.update(body)
    return world.settings


def reply(world, body, query):
    """{service, operation, output}: what an operation answers from now on, by the model's names; no output ends it."""
    model = MODELS[body["service"]].operation_model(body["operation"])
    world.replies.pop((body["service"], body["operation"]), None)
    if "output" in body:
        encode.reply(body["service"], model, body["output"])  # refuses what the model does not have
        world.replies[body["service"], body["operation"]] = body["output"]
    return {}


def load(world, body, query):
    world.loads.set(body)
    return {}


def functions(world, body, query):
    """{name, codes: ["1.0.0", …], aliases: {"live": "1"}, role, deadLetterQueue}: a function with a published version for each code."""
    name = body["name"]
    parameters = {"FunctionName": name, "Role": body.get("role", "arn:aws:iam::111122223333:role/lambda"), "Runtime": "python3.9", "Handler": "index.handler"}
    if "deadLetterQueue" in body:
        parameters["DeadLetterConfig"] = {"TargetArn": body["deadLetterQueue"]}
    codes = body.get("codes", ["1"])
    world.act("lambda", "CreateFunction", {**parameters, "Publish": True, "Code": {"ZipFile": codes[0].encode()}}, "set-up")
    for code in codes[1:]:
        world.act("lambda", "UpdateFunctionCode", {"FunctionName": name, "ZipFile": code.encode(), "Publish": True}, "set-up")
    for alias, version in body.get("aliases", {}).items():
        world.act("lambda", "CreateAlias", {"FunctionName": name, "Name": alias, "FunctionVersion": version}, "set-up")
    return {"arn": world.services["lambda"].state["functions"][name]["latest"]["FunctionArn"]}


def behaviour(world, body, query):
    """{function, version, errorRate, latencyMs}: how a version answers an Invoke."""
    world.services["lambda"].state["functions"][body["function"]]["behaviour"][body["version"]] = {k: body[k] for k in ("errorRate", "latencyMs") if k in body}
    return {}


def group_of(world, body):
    return world.services["codedeploy"].group({"applicationName": body["application"], "deploymentGroupName": body["group"]})


def instances(world, body, query):
    """{application, group, instances, revision}: the servers of a group, and what runs on them by the revision's name."""
    made = {name: {"revision": body["revision"], "names": [body["revision"]], "registered": True} for name in body["instances"]}
    group_of(world, body)["instances"] = made
    return {}


def task_set(world, body, query):
    """{application, group, taskDefinition}: what runs in an ECS service, with all its traffic."""
    group = group_of(world, body)
    first = group["info"]["loadBalancerInfo"]["targetGroupPairInfoList"][0]["targetGroups"][0]["name"]
    group["taskSets"] = [{"identifer": "ecs-svc/0", "taskDefinition": body["taskDefinition"], "targetGroup": first, "trafficWeight": 100, "status": "PRIMARY"}]
    return {}


def failing(world, body, query):
    """{application, group, targets}: they fail in the group's next deployment; \"*\" is all of them."""
    group_of(world, body)["failing"].append(body.get("targets", ["*"]))
    return {}


def access(world, body, query):
    """{analyzer, resource, type, public}: what Access Analyzer finds next."""
    world.services["accessanalyzer"].discover(body["analyzer"], body["resource"], body.get("type", "AWS::S3::Bucket"), body.get("public", True))
    return {}


def delivery(world, body, query):
    """{trail, error}: why a trail's last delivery failed; null ends it."""
    world.services["cloudtrail"].trail({"Name": body["trail"]})["error"] = body.get("error")
    return {}


ROUTES = {
    "GET calls": calls,
    "GET violations": lambda world, body, query: world.violations,
    "GET bugs": lambda world, body, query: world.bugs,
    "GET snapshot": snapshot,
    "GET faults": lambda world, body, query: world.faults.waiting,
    "POST faults": add_fault,
    "DELETE faults": lambda world, body, query: world.faults.clear() or {},
    "GET held": lambda world, body, query: world.faults.held,
    "POST release": lambda world, body, query: world.faults.release(body.get("id"), body.get("drop", False)),
    "POST act": act,
    "POST reset": lambda world, body, query: {},  # the server has done it
    "POST settings": settings,
    "POST load": load,
    "POST replies": reply,
    "POST lambda/functions": functions,
    "POST lambda/behaviour": behaviour,
    "POST codedeploy/instances": instances,
    "POST codedeploy/task-set": task_set,
    "POST codedeploy/failing": failing,
    "POST accessanalyzer/finding": access,
    "POST cloudtrail/delivery": delivery,
}
UNLOCKED = ("GET held", "POST release", "DELETE faults")
