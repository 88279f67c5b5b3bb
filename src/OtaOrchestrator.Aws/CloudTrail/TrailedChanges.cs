using System.Text.Json;
using Amazon.CloudTrail;
using Amazon.CloudTrail.Model;

namespace OtaOrchestrator.Aws.CloudTrail;

/// <summary>
/// Who changed something, as CloudTrail knows it: minutes later, and at two questions a second. For people to know whom to ask; nothing is decided by it.
/// </summary>
public sealed class TrailedChanges(IAmazonCloudTrail trail, TimeProvider time)
{
    private const int PagesMax = 3;

    /// <summary>Between two questions; the limit is the whole account's.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);
    private readonly Lock _gate = new();
    private long? _asked;

    /// <summary>How long before a change was seen it may have been made.</summary>
    private static readonly TimeSpan Earlier = TimeSpan.FromMinutes(30);

    /// <param name="operation">The event's name, for example <c>UpdateAlias20150331</c>.</param>
    /// <param name="made">Whether the request of an event made the change that was found; this product's own writes are in the trail too.</param>
    /// <returns>The user's name; empty while CloudTrail does not know it, or can't be asked.</returns>
    public async Task<string> AuthorAsync(string operation, Func<JsonElement, bool> made, DateTimeOffset seenAt, CancellationToken cancellation)
    {
        lock (_gate)
        {
            if (_asked is { } asked && time.GetElapsedTime(asked) < Pause)
            {
                return "";
            }

            _asked = time.GetTimestamp();
        }

        try
        {
            string? next = null;
            for (int page = 0; page < PagesMax; page++)
            {
                var request = new LookupEventsRequest
                {
                    LookupAttributes = [new LookupAttribute { AttributeKey = LookupAttributeKey.EventName, AttributeValue = operation }],
                    StartTime = (seenAt - Earlier).UtcDateTime,
                    NextToken = next,
                };
                var found = await trail.LookupEventsAsync(request, cancellation);
                // The newest comes first.
                var change = (found.Events ?? []).FirstOrDefault(one => Made(one, made));
                if (change is not null)
                {
                    return change.Username ?? "";
                }

                if (string.IsNullOrEmpty(next = found.NextToken))
                {
                    break;
                }
            }
        }
        catch (AmazonCloudTrailException)
        {
            // Throttled, or not permitted: then nobody is named.
        }

        return "";
    }

    private static bool Made(Event one, Func<JsonElement, bool> made)
    {
        try
        {
            using var document = JsonDocument.Parse(one.CloudTrailEvent ?? "{}");
            return !document.RootElement.TryGetProperty("errorCode", out _) && document.RootElement.TryGetProperty("requestParameters", out var parameters)
                && parameters.ValueKind == JsonValueKind.Object && made(parameters);
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
