using System.Text.Json;
using OtaOrchestrator.DevicePlane.Registry;
using OtaOrchestrator.DevicePlane.Storage;

namespace OtaOrchestrator.DevicePlane.Shadows;

/// <summary>What an update did: the shadow before (null = new) and after.</summary>
internal sealed record ShadowChange(Thing Thing, NamedShadow? Before, NamedShadow After);

/// <summary>The operations on named shadows. Each runs inside the writer.</summary>
internal static class DeviceShadows
{
    /// <summary>Reported and desired state together, in bytes of JSON.</summary>
    public const int MaxStateBytes = 8192;

    public const int MaxDepth = 8;

    /// <summary>Per thing; AWS has no such limit, but each takes memory here.</summary>
    public const int MaxShadows = 16;

    public static NamedShadow Get(PlaneState state, string thingName, string name) =>
        Find(state.Thing(thingName), name) is { IsDeleted: false } shadow ? shadow : throw Missing(name);

    /// <param name="state">The plane.</param>
    /// <param name="tx">The running transaction.</param>
    /// <param name="thingName">Whose shadow.</param>
    /// <param name="name">Which shadow.</param>
    /// <param name="request"><c>{state:{reported?,desired?}, version?, clientToken?}</c>.</param>
    public static ShadowChange Update(PlaneState state, PlaneTransaction tx, string thingName, string name, JsonElement request)
    {
        var thing = state.Thing(thingName);
        if (!request.TryGetProperty("state", out var update) || update.ValueKind != JsonValueKind.Object)
        {
            throw RefusedException.Invalid("Missing required node: state");
        }

        var (reported, desired) = (Section(update, "reported"), Section(update, "desired"));
        var before = Find(thing, name);
        CheckVersion(request, before);
        if (before is null && thing.Shadows.Length >= MaxShadows)
        {
            throw new RefusedException(Refusal.LimitExceeded, $"a thing may have {MaxShadows} shadows at most");
        }

        var after = new NamedShadow(
            name,
            (before?.Version ?? 0) + 1,
            reported is { } r ? ShadowMerge.Apply(before?.Reported, r) : before?.Reported,
            desired is { } d ? ShadowMerge.Apply(before?.Desired, d) : before?.Desired);
        if ((after.Reported?.Length ?? 0) + (after.Desired?.Length ?? 0) > MaxStateBytes)
        {
            throw new RefusedException(Refusal.TooLarge, $"a shadow's state may have {MaxStateBytes} bytes at most");
        }

        Replace(state, tx, thing, before, after);
        return new ShadowChange(thing, before is { IsDeleted: false } ? before : null, after);
    }

    /// <returns>The version of the deleted shadow.</returns>
    public static long Delete(PlaneState state, PlaneTransaction tx, string thingName, string name, JsonElement request)
    {
        var thing = state.Thing(thingName);
        var before = Find(thing, name) is { IsDeleted: false } shadow ? shadow : throw Missing(name);
        CheckVersion(request, before);
        Replace(state, tx, thing, before, new NamedShadow(name, before.Version + 1, null, null));
        return before.Version;
    }

    private static NamedShadow? Find(Thing thing, string name) => Array.Find(thing.Shadows, s => s.Name == name);

    private static void Replace(PlaneState state, PlaneTransaction tx, Thing thing, NamedShadow? before, NamedShadow after)
    {
        var shadows = thing.Shadows;
        thing.Shadows = before is null ? [.. shadows, after] : [.. shadows.Select(s => s == before ? after : s)];
        tx.Undo(() => thing.Shadows = shadows);
        PlaneRows.Write(tx, thing.Name, after);
        state.Reindex(tx, thing);
    }

    private static void CheckVersion(JsonElement request, NamedShadow? shadow)
    {
        if (!request.TryGetProperty("version", out var version) || version.ValueKind == JsonValueKind.Null)
        {
            return;
        }

        if (version.ValueKind != JsonValueKind.Number || !version.TryGetInt64(out var expected))
        {
            throw RefusedException.Invalid("version must be a whole number");
        }

        if (expected != (shadow?.Version ?? 0))
        {
            throw new RefusedException(Refusal.VersionConflict, "Version conflict");
        }
    }

    private static JsonElement? Section(JsonElement update, string name)
    {
        if (!update.TryGetProperty(name, out var section))
        {
            return null;
        }

        if (section.ValueKind is not (JsonValueKind.Object or JsonValueKind.Null))
        {
            throw RefusedException.Invalid($"state.{name} must be an object");
        }

        return DepthOf(section) <= MaxDepth ? section : throw RefusedException.Invalid($"JSON contains too many levels of nesting; maximum is {MaxDepth}");
    }

    private static int DepthOf(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => 1 + element.EnumerateObject().Select(m => DepthOf(m.Value)).DefaultIfEmpty().Max(),
        JsonValueKind.Array => 1 + element.EnumerateArray().Select(DepthOf).DefaultIfEmpty().Max(),
        _ => 0,
    };

    private static RefusedException Missing(string name) => RefusedException.NotFound($"No shadow exists with name: '{name}'");
}
