"""API Gateway's canary stages."""

import json
import time

from harness import DoubleTest, client

PROMOTE = [
    {"op": "replace", "path": "/canarySettings/percentTraffic", "value": "0.0"},
    {"op": "copy", "from": "/canarySettings/stageVariableOverrides", "path": "/variables"},
    {"op": "copy", "from": "/canarySettings/deploymentId", "path": "/deploymentId"},
]


class ApiGatewayTest(DoubleTest):
    def setUp(self):
        super().setUp()
        self.gateway = client("apigateway")
        self.api = self.gateway.create_rest_api(name="shop")["id"]
        self.first = self.gateway.create_deployment(restApiId=self.api, stageName="prod", description="1", variables={"db": "old"})["id"]

    def canary(self, percent=10.0):
        return self.gateway.create_deployment(restApiId=self.api, stageName="prod", description="2", canarySettings={"percentTraffic": percent, "stageVariableOverrides": {"db": "new"}})["id"]

    def stage(self):
        return self.gateway.get_stage(restApiId=self.api, stageName="prod")

    def patch(self, *operations):
        return self.gateway.update_stage(restApiId=self.api, stageName="prod", patchOperations=list(operations))

    def test_a_canary_beside_the_stage_then_promoted_then_removed(self):
        second = self.canary()
        stage = self.stage()
        self.assertEqual((self.first, second, 10.0), (stage["deploymentId"], stage["canarySettings"]["deploymentId"], stage["canarySettings"]["percentTraffic"]))
        self.patch({"op": "replace", "path": "/canarySettings/percentTraffic", "value": "25.0"})
        self.assertEqual(25.0, self.stage()["canarySettings"]["percentTraffic"])
        self.patch(*PROMOTE)
        stage = self.stage()
        self.assertEqual((second, {"db": "new"}, 0.0), (stage["deploymentId"], stage["variables"], stage["canarySettings"]["percentTraffic"]))
        self.patch({"op": "remove", "path": "/canarySettings"})
        self.assertNotIn("canarySettings", self.stage())

    def test_removing_the_canary_gives_back_what_was(self):
        before = self.world.snapshot("apigateway", history=False)
        self.canary()
        third = self.gateway.create_deployment(restApiId=self.api, stageName="prod")["id"]
        self.assertEqual((self.first, third), (self.stage()["deploymentId"], self.stage()["canarySettings"]["deploymentId"]))
        self.patch({"op": "remove", "path": "/canarySettings"})
        self.assertEqual(before, self.world.snapshot("apigateway", history=False))

    def test_deployments_in_use_stay(self):
        second = self.canary()
        for used in (self.first, second):
            self.fails("BadRequestException", 400, self.gateway.delete_deployment, restApiId=self.api, deploymentId=used)
        self.patch({"op": "remove", "path": "/canarySettings"})
        self.gateway.delete_deployment(restApiId=self.api, deploymentId=second)
        self.assertEqual([self.first], [d["id"] for d in self.gateway.get_deployments(restApiId=self.api)["items"]])
        self.fails("NotFoundException", 404, self.gateway.get_deployment, restApiId=self.api, deploymentId=second)

    def test_what_it_does_not_take(self):
        self.canary()
        update = self.gateway.update_stage
        good, bad = {"op": "replace", "path": "/variables/db", "value": "x"}, {"op": "replace", "path": "/canarySettings/percentTraffic", "value": "101"}
        self.fails("BadRequestException", 400, update, restApiId=self.api, stageName="prod", patchOperations=[good, bad])
        self.fails("BadRequestException", 400, update, restApiId=self.api, stageName="prod", patchOperations=[{"op": "replace", "path": "/nowhere", "value": "1"}])
        self.fails("NotFoundException", 404, update, restApiId=self.api, stageName="prod", patchOperations=[{"op": "replace", "path": "/deploymentId", "value": "none"}])
        self.fails("NotFoundException", 404, self.gateway.get_stage, restApiId=self.api, stageName="none")
        self.fails("NotFoundException", 404, self.gateway.get_stage, restApiId="none", stageName="prod")
        self.fails("BadRequestException", 400, self.gateway.create_deployment, restApiId=self.api, stageName="new", canarySettings={"percentTraffic": 1})
        self.fails("ConflictException", 409, self.gateway.create_stage, restApiId=self.api, stageName="prod", deploymentId=self.first)
        self.violates("enum value set", update, restApiId=self.api, stageName="prod", patchOperations=[{"op": "increase", "path": "/x"}])
        self.admin("POST", "faults", {"service": "apigateway", "kind": "throttle"})
        self.fails("TooManyRequestsException", 429, self.gateway.get_stages, restApiId=self.api)

    def test_its_load_does_not_tell_the_canary_apart(self):
        self.canary(50)
        now = time.time()
        self.world.loads.set({"kind": "apigateway", "resource": f"{self.api}/prod", "requestsPerSecond": 10, "errorRate": {"2": 1}}, now - 60)
        counted = {m: sum(v * n for v, n in self.world.loads.samples("AWS/ApiGateway", m, {"ApiName": "shop", "Stage": "prod"}, now - 60, now)) for m in ("Count", "5XXError")}
        self.assertEqual({"Count": 600, "5XXError": 300}, counted)

    def test_the_command_line_does_all_of_it(self):
        run = lambda *arguments: self.commands("apigateway", list(arguments))[0]
        api = run("create-rest-api", "--name", "cli")["id"]
        first = run("create-deployment", "--rest-api-id", api, "--stage-name", "prod")["id"]
        second = run("create-deployment", "--rest-api-id", api, "--stage-name", "prod", "--canary-settings", "percentTraffic=5,stageVariableOverrides={a=b}")["id"]
        run("update-stage", "--rest-api-id", api, "--stage-name", "prod", "--patch-operations", json.dumps(PROMOTE))
        run("update-stage", "--rest-api-id", api, "--stage-name", "prod", "--patch-operations", "op=remove,path=/canarySettings")
        self.assertEqual((second, {"a": "b"}), tuple(run("get-stage", "--rest-api-id", api, "--stage-name", "prod")[k] for k in ("deploymentId", "variables")))
        run("get-stages", "--rest-api-id", api)
        run("get-deployment", "--rest-api-id", api, "--deployment-id", first)
        run("delete-deployment", "--rest-api-id", api, "--deployment-id", first)
        self.assertEqual([second], [d["id"] for d in run("get-deployments", "--rest-api-id", api)["items"]])
        self.assertEqual(api, run("get-rest-api", "--rest-api-id", api)["id"])
