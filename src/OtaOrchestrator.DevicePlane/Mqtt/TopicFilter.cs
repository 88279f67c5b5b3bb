namespace OtaOrchestrator.DevicePlane.Mqtt;

/// <summary>MQTT topic filters, and which of them a client may have.</summary>
internal static class TopicFilter
{
    public const int MaxChars = 256;

    /// <summary>Whether the topic matches, by MQTT's rules for + and #.</summary>
    public static bool Matches(string filter, string topic)
    {
        int f = 0, t = 0;
        while (true)
        {
            var filterLevel = Level(filter, f);
            if (filterLevel is "#")
            {
                return true;
            }

            var topicLevel = Level(topic, t);
            if (filterLevel is not "+" && !filterLevel.SequenceEqual(topicLevel))
            {
                return false;
            }

            f += filterLevel.Length + 1;
            t += topicLevel.Length + 1;
            var (filterEnds, topicEnds) = (f > filter.Length, t > topic.Length);
            if (filterEnds || topicEnds)
            {
                // "a/#" matches "a" as well.
                return (filterEnds && topicEnds) || (topicEnds && filter.AsSpan(f) is "#");
            }
        }
    }

    /// <summary>A device may listen below its own prefix only, so a wildcard can't stand before it.</summary>
    public static bool AllowedForDevice(string filter, string thing) => IsWellFormed(filter)
        && (filter.StartsWith($"$aws/things/{thing}/jobs/", StringComparison.Ordinal) || filter.StartsWith($"$aws/things/{thing}/shadow/name/", StringComparison.Ordinal)
            || filter == $"$aws/things/{thing}/#");

    /// <summary>A claim may listen to the answers of the two provisioning operations, of its own fleet.</summary>
    public static bool AllowedForClaim(string filter, string fleet) => IsWellFormed(filter)
        && (filter.StartsWith("$aws/certificates/create-from-csr/json/", StringComparison.Ordinal)
            || filter.StartsWith($"$aws/provisioning-templates/{fleet}/provision/json/", StringComparison.Ordinal));

    private static bool IsWellFormed(string filter)
    {
        if (filter.Length is 0 or > MaxChars || filter.Contains('\0'))
        {
            return false;
        }

        var levels = filter.Split('/');
        for (var i = 0; i < levels.Length; i++)
        {
            var level = levels[i];
            if ((level.Contains('#') && (level != "#" || i != levels.Length - 1)) || (level.Contains('+') && level != "+"))
            {
                return false;
            }
        }

        return true;
    }

    private static ReadOnlySpan<char> Level(string text, int start)
    {
        var rest = text.AsSpan(Math.Min(start, text.Length));
        var end = rest.IndexOf('/');
        return end < 0 ? rest : rest[..end];
    }
}
