using System.Text.Json;

namespace OtaOrchestrator.DevicePlane.Shadows;

/// <summary>The JSON of the shadow topics. Per-value metadata is given for what an update carried; it isn't kept.</summary>
internal sealed class ShadowPayload(SteadyClock clock)
{
    public byte[] Accepted(JsonElement request, NamedShadow after, string? token)
    {
        var now = clock.WallSeconds;
        return Make(now, token, w =>
        {
            w.WritePropertyName("state");
            request.GetProperty("state").WriteTo(w);
            w.WritePropertyName("metadata");
            WriteMetadata(w, request.GetProperty("state"), now);
            w.WriteNumber("version", after.Version);
        });
    }

    public byte[] Got(NamedShadow shadow, string? token) => Make(clock.WallSeconds, token, w =>
    {
        w.WritePropertyName("state");
        WriteState(w, shadow, withDelta: true);
        w.WriteNumber("version", shadow.Version);
    });

    public byte[] Deleted(long version, string? token) => Make(clock.WallSeconds, token, w => w.WriteNumber("version", version));

    public byte[] Delta(NamedShadow shadow) => Make(clock.WallSeconds, null, w =>
    {
        w.WritePropertyName("state");
        w.WriteRawValue(ShadowMerge.Delta(shadow.Desired, shadow.Reported)!, skipInputValidation: true);
        w.WriteNumber("version", shadow.Version);
    });

    public byte[] Documents(ShadowChange change, string? token) => Make(clock.WallSeconds, token, w =>
    {
        foreach (var (name, shadow) in new[] { ("previous", change.Before), ("current", change.After) })
        {
            w.WriteStartObject(name);
            w.WritePropertyName("state");
            if (shadow is null)
            {
                w.WriteStartObject();
                w.WriteEndObject();
            }
            else
            {
                WriteState(w, shadow, withDelta: false);
                w.WriteNumber("version", shadow.Version);
            }

            w.WriteEndObject();
        }
    });

    public byte[] Rejected(RefusedException refusal, string? token) => Make(clock.WallSeconds, token, w =>
    {
        w.WriteNumber("code", refusal.Reason switch
        {
            Refusal.NotFound => 404,
            Refusal.VersionConflict => 409,
            Refusal.TooLarge => 413,
            Refusal.LimitExceeded => 429,
            Refusal.Unavailable => 503,
            Refusal.Internal => 500,
            _ => 400,
        });
        w.WriteString("message", refusal.Message);
    });

    private static void WriteState(Utf8JsonWriter w, NamedShadow shadow, bool withDelta)
    {
        w.WriteStartObject();
        WriteSection(w, "desired", shadow.Desired);
        WriteSection(w, "reported", shadow.Reported);
        if (withDelta)
        {
            WriteSection(w, "delta", ShadowMerge.Delta(shadow.Desired, shadow.Reported));
        }

        w.WriteEndObject();
    }

    private static void WriteSection(Utf8JsonWriter w, string name, byte[]? section)
    {
        if (section is not null)
        {
            w.WritePropertyName(name);
            w.WriteRawValue(section, skipInputValidation: true);
        }
    }

    private static void WriteMetadata(Utf8JsonWriter w, JsonElement element, long now)
    {
        w.WriteStartObject();
        foreach (var member in element.EnumerateObject().Where(m => m.Value.ValueKind != JsonValueKind.Null))
        {
            w.WritePropertyName(member.Name);
            if (member.Value.ValueKind == JsonValueKind.Object)
            {
                WriteMetadata(w, member.Value, now);
            }
            else
            {
                w.WriteStartObject();
                w.WriteNumber("timestamp", now);
                w.WriteEndObject();
            }
        }

        w.WriteEndObject();
    }

    private static byte[] Make(long now, string? token, Action<Utf8JsonWriter> write) => PlaneJson.Object(w =>
    {
        write(w);
        w.WriteNumber("timestamp", now);
        if (token is not null)
        {
            w.WriteString("clientToken", token);
        }
    });
}
