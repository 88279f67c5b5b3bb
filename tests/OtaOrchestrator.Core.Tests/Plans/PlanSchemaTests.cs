using System.Text.Json;
using System.Text.RegularExpressions;
using CsCheck;
using OtaOrchestrator.Core.Plans;

namespace OtaOrchestrator.Core.Tests.Plans;

public sealed class PlanSchemaTests
{
    private static readonly JsonElement Schema = JsonDocument.Parse(PlanSchema.Json).RootElement;

    [Fact]
    public void The_schema_has_every_field_of_a_plan_and_no_other()
    {
        (Type Type, JsonElement Schema)[] types =
        [
            (typeof(Plan), Schema), (typeof(LanePlan), Definition("lane")), (typeof(StepPlan), Definition("step")), (typeof(CheckPlan), Definition("check")),
            (typeof(WindowPlan), Definition("window")), (typeof(CompletePlan), Definition("complete")), (typeof(JudgePlan), Definition("judge")), (typeof(RollbackPlan), Definition("rollback")),
        ];
        foreach (var (type, schema) in types)
        {
            var fields = type.GetProperties().Select(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name)).Concat(type == typeof(Plan) ? ["apiVersion", "kind"] : []);
            Assert.Equal(fields.Order(StringComparer.Ordinal), schema.GetProperty("properties").EnumerateObject().Select(property => property.Name).Order(StringComparer.Ordinal));
            Assert.False(schema.GetProperty("additionalProperties").GetBoolean());
        }
    }

    [Fact]
    public void Sample_plans_and_templates_fit_the_schema()
    {
        foreach (var text in (string[])[SamplePlans.Smallest, SamplePlans.Complete, .. Enum.GetValues<PlanTemplate>().Select(PlanTemplates.Init)])
        {
            Assert.Empty(Errors(Schema, Json(PlanTree.Read(text)!), "plan"));
            // The same plan as it goes over the wire.
            Assert.Empty(Errors(Schema, JsonDocument.Parse(PlanJson.Of(SamplePlans.Read(text))).RootElement, "plan"));
        }
    }

    [Theory]
    [InlineData("lanes: []")]
    [InlineData("lanes: [ { target: a } ]")]
    [InlineData("lanes: [ { target: a, release: a } ]")]
    [InlineData("lanes: [ { target: A, release: a@1 } ]")]
    [InlineData("lanes: [ { target: a, release: a@1, colour: red } ]")]
    [InlineData("lanes: [ { target: a, release: a@1, steps: [ { share: 5 } ] } ]")]
    [InlineData("lanes: [ { target: a, release: a@1, steps: [ { share: 5%, group: lab } ] } ]")]
    [InlineData("lanes: [ { target: a, release: a@1, steps: [ { share: 5%, bakeMin: 5 } ] } ]")]
    [InlineData("lanes: [ { target: a, release: a@1 } ]\njudge: { noData: perhaps }")]
    [InlineData("apiVersion: ota/v2\nlanes: [ { target: a, release: a@1 } ]")]
    public void What_is_wrong_does_not_fit(string text) => Assert.NotEmpty(Errors(Schema, Json(PlanTree.Read(text)!), "plan"));

    private static JsonElement Definition(string name) => Schema.GetProperty("$defs").GetProperty(name);

    /// <summary>YAML as an editor sees it: plain numbers and flags have their types.</summary>
    private static JsonElement Json(PlanNode node)
    {
        static object? Value(PlanNode node) => node switch
        {
            PlanMap map => map.Fields.ToDictionary(field => field.Name!, field => Value(field.Value)),
            PlanList list => list.Items.Select(Value).ToList(),
            PlanScalar { Plain: true } scalar when double.TryParse(scalar.Value, out double number) => number,
            PlanScalar { Plain: true, Value: "true" or "false" } scalar => scalar.Value == "true",
            PlanScalar scalar => scalar.Value,
            _ => null,
        };
        return JsonSerializer.SerializeToElement(Value(node));
    }

    /// <summary>The keywords that the schema uses; an unknown one fails, so that none is silently not checked.</summary>
    private static List<string> Errors(JsonElement schema, JsonElement value, string path)
    {
        List<string> errors = [];
        foreach (var keyword in schema.EnumerateObject())
        {
            var expected = keyword.Value;
            bool fits = keyword.Name switch
            {
                "$schema" or "$id" or "$defs" or "title" or "description" or "properties" => true,
                "$ref" => Inside(Definition(expected.GetString()!["#/$defs/".Length..]), value, path),
                "type" => expected.ValueKind == JsonValueKind.Array ? expected.EnumerateArray().Any(type => Is(type.GetString()!)) : Is(expected.GetString()!),
                "const" => value.ToString() == expected.ToString(),
                "enum" => expected.EnumerateArray().Any(one => one.ToString() == value.ToString()),
                "pattern" => value.ValueKind != JsonValueKind.String || Regex.IsMatch(value.GetString()!, expected.GetString()!),
                "minLength" => value.ValueKind != JsonValueKind.String || value.GetString()!.Length >= expected.GetInt32(),
                "minimum" => value.ValueKind != JsonValueKind.Number || value.GetDouble() >= expected.GetDouble(),
                "exclusiveMinimum" => value.ValueKind != JsonValueKind.Number || value.GetDouble() > expected.GetDouble(),
                "exclusiveMaximum" => value.ValueKind != JsonValueKind.Number || value.GetDouble() < expected.GetDouble(),
                "maximum" => value.ValueKind != JsonValueKind.Number || value.GetDouble() <= expected.GetDouble(),
                "minItems" => value.GetArrayLength() >= expected.GetInt32(),
                "maxItems" => value.GetArrayLength() <= expected.GetInt32(),
                "items" => value.EnumerateArray().Select((item, i) => Inside(expected, item, $"{path}[{i}]")).All(ok => ok),
                "required" => expected.EnumerateArray().All(name => value.TryGetProperty(name.GetString()!, out _)),
                "additionalProperties" => value.ValueKind != JsonValueKind.Object || value.EnumerateObject().All(field =>
                    schema.GetProperty("properties").TryGetProperty(field.Name, out var of) && Inside(of, field.Value, $"{path}.{field.Name}")),
                "anyOf" => expected.EnumerateArray().Any(one => Errors(one, value, path).Count == 0),
                "oneOf" => expected.EnumerateArray().Count(one => Errors(one, value, path).Count == 0) == 1,
                _ => throw new NotSupportedException(keyword.Name),
            };
            if (!fits)
            {
                errors.Add($"{path}: {keyword.Name} {expected}");
            }
        }
        return errors;

        bool Inside(JsonElement inner, JsonElement innerValue, string innerPath)
        {
            var inside = Errors(inner, innerValue, innerPath);
            errors.AddRange(inside);
            return inside.Count == 0;
        }

        bool Is(string type) => type switch
        {
            "object" => value.ValueKind == JsonValueKind.Object,
            "array" => value.ValueKind == JsonValueKind.Array,
            "string" => value.ValueKind == JsonValueKind.String,
            "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
            "number" => value.ValueKind == JsonValueKind.Number,
            "integer" => value.ValueKind == JsonValueKind.Number && value.GetDouble() % 1 == 0,
            _ => throw new NotSupportedException(type),
        };
    }
}
