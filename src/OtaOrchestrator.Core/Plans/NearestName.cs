namespace OtaOrchestrator.Core.Plans;

/// <summary>What somebody may have meant who wrote a name that is not known.</summary>
internal static class NearestName
{
    private const int LengthMax = 64;

    /// <summary>The known name with the fewest edits, or null when none is near.</summary>
    public static string? Of(string name, ReadOnlySpan<string> known)
    {
        if (name.Length is 0 or > LengthMax)
        {
            return null;
        }
        var lower = name.ToLowerInvariant();
        string? best = null;
        int least = int.MaxValue;
        foreach (var candidate in known)
        {
            var other = candidate.ToLowerInvariant();
            // A third of the letters may be wrong; a beginning or an end may be all that was written: failures for failuresMax, after for guardAfter.
            int edits = name.Length >= 4 && (other.StartsWith(lower, StringComparison.Ordinal) || other.EndsWith(lower, StringComparison.Ordinal)) ? 1 : Edits(lower, other);
            if (edits < least && edits <= Math.Max(1, other.Length / 3))
            {
                (best, least) = (candidate, edits);
            }
        }
        return best;
    }

    /// <summary>Damerau-Levenshtein distance (optimal string alignment): insertions, deletions, substitutions, and swaps of neighbours.</summary>
    internal static int Edits(string left, string right)
    {
        var distance = new int[left.Length + 1, right.Length + 1];
        for (int i = 0; i <= left.Length; i++)
        {
            distance[i, 0] = i;
        }
        for (int j = 0; j <= right.Length; j++)
        {
            distance[0, j] = j;
        }
        for (int i = 1; i <= left.Length; i++)
        {
            for (int j = 1; j <= right.Length; j++)
            {
                int least = Math.Min(distance[i - 1, j], distance[i, j - 1]) + 1;
                least = Math.Min(least, distance[i - 1, j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                {
                    least = Math.Min(least, distance[i - 2, j - 2] + 1);
                }
                distance[i, j] = least;
            }
        }
        return distance[left.Length, right.Length];
    }
}
