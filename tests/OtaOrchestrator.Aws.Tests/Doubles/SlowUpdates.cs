using System.Text.Json.Nodes;

namespace OtaOrchestrator.Aws.Tests.Doubles;

/// <summary>OTA updates as AWS makes them: asked for, pending for a while, and only then there with their job; or not made at all.</summary>
internal sealed class SlowUpdates(IotDouble iot)
{
    private const string Path = "/otaUpdates/";
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Update> _updates = new(StringComparer.Ordinal);

    /// <summary>Why those that are asked for from now on can't be made; null when they can.</summary>
    public string? Broken { get; set; }

    /// <summary>Makes what is pending.</summary>
    public async Task MakeAsync()
    {
        foreach (var (id, update) in Pending())
        {
            var made = await iot.ActAsync(update.Asked, CancellationToken.None);
            Assert.True(made.Status == 200, System.Text.Encoding.UTF8.GetString(made.Body));
            lock (_gate)
            {
                _updates[id] = update with { Status = "CREATE_COMPLETE" };
            }
        }
    }

    /// <summary>The answer to a call about updates that are not made yet; null for everything else, which the plane answers.</summary>
    public IotDouble.Answer? Takes(IotDouble.Asked asked)
    {
        var at = asked.Target.IndexOf('?', StringComparison.Ordinal);
        var (path, query) = at < 0 ? (asked.Target, "") : (asked.Target[..at], asked.Target[at..]);
        lock (_gate)
        {
            if ((asked.Method, path) == ("GET", "/otaUpdates"))
            {
                var listed = _updates.Where(one => query.Contains($"otaUpdateStatus={one.Value.Status}", StringComparison.Ordinal));
                return IotDouble.Answer.Ok(new { otaUpdates = listed.Select(one => new { otaUpdateId = one.Key }) });
            }

            if (!path.StartsWith(Path, StringComparison.Ordinal))
            {
                return null;
            }

            var id = path[Path.Length..];
            var there = _updates.GetValueOrDefault(id);
            switch (asked.Method)
            {
                case "POST" when there is not null:
                    return IotDouble.Answer.Refusal(409, "ResourceAlreadyExistsException", $"{id} exists");
                case "POST":
                    _updates[id] = new Update(asked, Broken is null ? "CREATE_PENDING" : "CREATE_FAILED", Broken);
                    return IotDouble.Answer.Ok(new { otaUpdateId = id, otaUpdateStatus = "CREATE_PENDING" });
                case "GET" when there is not null:
                    return IotDouble.Answer.Ok(new
                    {
                        otaUpdateInfo = new { otaUpdateId = id, otaUpdateStatus = there.Status, otaUpdateFiles = JsonNode.Parse(there.Asked.Body)!["files"], errorInfo = there.Error is null ? null : new { code = "400", message = there.Error } },
                    });
                case "DELETE" when there is { Status: "CREATE_FAILED" }:
                    // Its stream would be in the way of the next one of this name.
                    Assert.Contains("deleteStream=true", query, StringComparison.Ordinal);
                    _updates.Remove(id);
                    return IotDouble.Answer.Ok(new { });
                case "DELETE" when there is not null:
                    return IotDouble.Answer.Refusal(409, "ConflictException", $"{id} is {there.Status}");
                default:
                    return IotDouble.Answer.Refusal(404, "ResourceNotFoundException", $"there is no {id}");
            }
        }
    }

    private List<KeyValuePair<string, Update>> Pending()
    {
        lock (_gate)
        {
            return [.. _updates.Where(update => update.Value.Status == "CREATE_PENDING")];
        }
    }

    private sealed record Update(IotDouble.Asked Asked, string Status, string? Error);
}
