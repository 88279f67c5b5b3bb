using System.Text.Json;
using System.Text.Json.Nodes;

namespace OtaOrchestrator.DevicePlane.Shadows;

/// <summary>How an update changes a shadow's section: objects merge member by member, null removes, everything else replaces.</summary>
internal static class ShadowMerge
{
    public static byte[] ToBytes(JsonElement element) => PlaneJson.Object(w =>
    {
        foreach (var member in element.EnumerateObject())
        {
            member.WriteTo(w);
        }
    });

    /// <returns>The new section, or null when nothing is left of it.</returns>
    public static byte[]? Apply(byte[]? section, JsonElement update)
    {
        if (update.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        var target = section is null ? [] : JsonNode.Parse(section)!.AsObject();
        Merge(target, update);
        return target.Count == 0 ? null : Write(target);
    }

    /// <returns>The part of <paramref name="desired"/> that <paramref name="reported"/> doesn't have, or null when there is none.</returns>
    public static byte[]? Delta(byte[]? desired, byte[]? reported)
    {
        if (desired is null)
        {
            return null;
        }

        var delta = Delta(JsonNode.Parse(desired)!.AsObject(), reported is null ? [] : JsonNode.Parse(reported)!.AsObject());
        return delta.Count == 0 ? null : Write(delta);
    }

    private static void Merge(JsonObject target, JsonElement update)
    {
        foreach (var member in update.EnumerateObject())
        {
            switch (member.Value.ValueKind)
            {
                case JsonValueKind.Null:
                    target.Remove(member.Name);
                    break;
                case JsonValueKind.Object:
                    // Into a fresh object as well, so that nulls inside it don't get stored.
                    if (target[member.Name] is not JsonObject inner)
                    {
                        target[member.Name] = inner = [];
                    }

                    Merge(inner, member.Value);
                    if (inner.Count == 0)
                    {
                        target.Remove(member.Name);
                    }

                    break;
                default:
                    target[member.Name] = JsonNode.Parse(member.Value.GetRawText());
                    break;
            }
        }
    }

    private static JsonObject Delta(JsonObject desired, JsonObject reported)
    {
        var delta = new JsonObject();
        foreach (var (name, wanted) in desired)
        {
            var actual = reported[name];
            if (wanted is JsonObject wantedObject && actual is JsonObject actualObject)
            {
                var inner = Delta(wantedObject, actualObject);
                if (inner.Count > 0)
                {
                    delta[name] = inner;
                }
            }
            else if (!JsonNode.DeepEquals(wanted, actual))
            {
                delta[name] = wanted?.DeepClone();
            }
        }

        return delta;
    }

    private static byte[] Write(JsonObject section) => PlaneJson.Object(w =>
    {
        foreach (var (name, value) in section)
        {
            w.WritePropertyName(name);
            value!.WriteTo(w);
        }
    });
}
