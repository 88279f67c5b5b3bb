namespace OtaOrchestrator.Core.Plans;

/// <summary>The plan file's schema for editors. They check shapes with it; what a plan must also fulfil is <see cref="PlanValidator"/>'s.</summary>
public static class PlanSchema
{
    /// <summary>JSON Schema, draft 2020-12.</summary>
    public const string Json =
        """
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "$id": "urn:ota:v1:plan",
          "title": "Plan",
          "description": "The whole intent of a rollout. What is left out comes from the environment: ota plan explain shows it.",
          "type": "object",
          "additionalProperties": false,
          "required": ["lanes"],
          "properties": {
            "apiVersion": { "const": "ota/v1" },
            "kind": { "const": "Plan" },
            "name": { "$ref": "#/$defs/name", "description": "The first lane's target when left out." },
            "timezone": { "type": "string", "description": "IANA name, for example Asia/Tokyo." },
            "lanes": { "type": "array", "minItems": 1, "maxItems": 20, "items": { "$ref": "#/$defs/lane" }, "description": "Run in this order." },
            "judge": { "$ref": "#/$defs/judge" },
            "rollback": { "$ref": "#/$defs/rollback" }
          },
          "$defs": {
            "name": { "type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$" },
            "release": { "type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?@[0-9]+(\\.[0-9]+){0,3}(-[0-9A-Za-z.-]+)?$", "description": "name@version" },
            "share": {
              "anyOf": [
                { "type": "number", "minimum": 0, "maximum": 1 },
                { "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)? ?%$" }
              ],
              "description": "5% or 0.05"
            },
            "duration": { "type": "string", "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+(\\.[0-9]+)?s)?([0-9]+ms)?$", "minLength": 2, "description": "500ms, 30m, 24h, 1h30m, 7d or 1800s" },
            "count": { "type": ["integer", "string"], "minimum": 0, "pattern": "^[0-9]+$" },
            "rate": { "type": "integer", "minimum": 1, "maximum": 2147483647 },
                        "lane": {
              "type": "object",
              "additionalProperties": false,
              "required": ["target", "release"],
              "description": "One target's part of the plan.",
              "properties": {
                "name": { "$ref": "#/$defs/name", "description": "The target when left out." },
                "target": { "$ref": "#/$defs/name", "description": "Logical: the environment says what it is there." },
                "release": { "$ref": "#/$defs/release" },
                "fallback": { "$ref": "#/$defs/release", "description": "name@version; the target's current release when left out." },
                "needs": { "type": "array", "maxItems": 20, "items": { "type": "string", "pattern": "^ *[a-z0-9-]+ *(>=|<=|>|<|=) *[0-9A-Za-z.-]+ *$" }, "description": "What the release needs of other targets: the only source of the undo order." },
                "exclude": { "type": "array", "maxItems": 100, "items": { "type": "string", "pattern": "^tag:[a-zA-Z0-9._-]{1,64}$" } },
                "window": { "$ref": "#/$defs/window" },
                "ratePerMinuteMax": { "$ref": "#/$defs/rate" },
                "steps": { "type": "array", "maxItems": 50, "items": { "$ref": "#/$defs/step" }, "description": "Cumulative; the last is 100%." },
                "guardAfter": { "$ref": "#/$defs/duration", "description": "How long the judge stays armed after the last step." },
                "observeFor": { "$ref": "#/$defs/duration", "description": "How long a confirmed device must stay healthy before it counts." },
                "checks": { "type": "array", "maxItems": 20, "items": { "$ref": "#/$defs/check" } },
                "complete": { "$ref": "#/$defs/complete" },
                "stickyFor": { "$ref": "#/$defs/duration", "description": "How long a client stays on the side that it was given." },
                "leaseFor": { "$ref": "#/$defs/duration", "description": "A partial exposure that the orchestrator has not renewed for so long falls to onControllerLoss." },
                "onControllerLoss": { "enum": ["hold", "return"] }
              }
            },
            "step": {
              "type": "object",
              "additionalProperties": false,
              "oneOf": [{ "required": ["share"] }, { "required": ["group"] }],
              "properties": {
                "share": { "$ref": "#/$defs/share", "description": "Cumulative share of users: 5% or 0.05." },
                "group": { "type": "string", "pattern": "^[a-zA-Z0-9:_-]{1,128}$", "description": "A named group of devices; first step only." },
                "bakeMin": { "$ref": "#/$defs/duration", "description": "Healthy time before the next step." },
                "bakeMax": { "$ref": "#/$defs/duration", "description": "When evidence is still missing after this, the lane is held." },
                "requestsMin": { "$ref": "#/$defs/count", "description": "Requests that the candidate must have answered." },
                "confirmedMin": { "$ref": "#/$defs/count", "description": "Devices that must have confirmed." },
                "approval": { "type": "string", "pattern": "^[a-z][a-z0-9-]{0,40}-[1-9]$", "description": "role-n: n persons must approve before the step." },
                "test": { "$ref": "#/$defs/name", "description": "The check with when: test that must be healthy before the next step." },
                "pause": { "type": "boolean", "description": "Wait for promote after the bake." },
                "reach": { "$ref": "#/$defs/share", "description": "Share of the reachable devices that must be resolved." },
                "mirror": { "$ref": "#/$defs/share", "description": "Share of the baseline's requests that is copied to the candidate, its answers dropped." }
              }
            },
            "check": {
              "type": "object",
              "additionalProperties": false,
              "required": ["source"],
              "properties": {
                "name": { "$ref": "#/$defs/name" },
                "source": { "enum": ["router", "devices", "http", "grpc", "prometheus", "webhook", "cloudwatch"] },
                "against": { "enum": ["baseline"] },
                "ratioMax": { "type": "number", "minimum": 1, "exclusiveMaximum": 20, "description": "Candidate's error ratio over the baseline's." },
                "errorsMax": { "$ref": "#/$defs/share", "description": "Candidate's share of failed requests." },
                "failuresMax": { "$ref": "#/$defs/share", "description": "Share of failed devices." },
                "p99MsMax": { "type": "number", "exclusiveMinimum": 0, "maximum": 3600000, "description": "Candidate's 99th percentile, milliseconds." },
                "samplesMin": { "$ref": "#/$defs/count", "description": "Requests or devices without which the check is inconclusive." },
                "silentAfter": { "$ref": "#/$defs/duration", "description": "A started device not heard of for longer has failed." },
                "interval": { "$ref": "#/$defs/duration" },
                "metric": { "enum": ["errors", "latency"], "description": "router: latency counts requests slower than the stable 99th percentile as errors." },
                "when": { "enum": ["exposed", "test"], "description": "exposed: from the first exposure to the end of the guard; test: at the steps that name it." },
                "url": { "type": "string", "maxLength": 1024, "description": "{candidate} and {baseline} stand for each address of that release." },
                "query": { "type": "string", "maxLength": 1024, "description": "prometheus; {candidate} and {baseline} stand for the releases." },
                "alarm": { "type": "string", "maxLength": 512, "description": "cloudwatch; the name or ARN of an alarm" },
                "service": { "type": "string", "maxLength": 1024, "description": "grpc: what the health service is asked for." },
                "valueMax": { "type": "number" },
                "valueMin": { "type": "number" },
                "timeout": { "$ref": "#/$defs/duration", "description": "Of one reading." },
                "failuresInRowMax": { "type": "integer", "minimum": 0, "maximum": 1000, "description": "One more failed reading in a row condemns." },
                "noData": { "enum": ["hold", "rollback", "ignore"] },
                "dryRun": { "type": "boolean", "description": "Judged and shown, nothing follows from it." }
              }
            },
            "window": {
              "type": "object",
              "additionalProperties": false,
              "required": ["from", "to"],
              "properties": {
                "from": { "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$" },
                "to": { "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$" },
                "clock": { "enum": ["device", "utc"] }
              }
            },
            "complete": {
              "type": "object",
              "additionalProperties": false,
              "properties": {
                "confirmedMin": { "$ref": "#/$defs/share" },
                "of": { "enum": ["reachable", "all"] },
                "tailMax": { "$ref": "#/$defs/duration" }
              }
            },
            "judge": {
              "type": "object",
              "additionalProperties": false,
              "properties": {
                "falseAbortMax": { "$ref": "#/$defs/share", "description": "Probability of ever taking back a good release." },
                "noData": { "enum": ["hold", "rollback"] },
                "unhealthy": { "enum": ["rollback", "hold", "freeze"], "description": "freeze waits for a person, for migrations that can't be undone." }
              }
            },
            "rollback": {
              "type": "object",
              "additionalProperties": false,
              "properties": {
                "untilAfter": { "$ref": "#/$defs/duration", "description": "How long after success the way back stays open." },
                "ignoreWindow": { "type": "boolean" },
                "ratePerMinuteMax": { "$ref": "#/$defs/rate" },
                "shares": { "type": "array", "maxItems": 50, "items": { "$ref": "#/$defs/share" }, "description": "The return's own waves; the last is 100%." },
                "failuresMax": { "$ref": "#/$defs/share", "description": "Share of devices that may fail to return before a person is called." },
                "undoWait": { "$ref": "#/$defs/duration", "description": "How long a lane waits for the devices of another." }
              }
            }
          }
        }
        """;
}
