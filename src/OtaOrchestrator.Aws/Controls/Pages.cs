namespace OtaOrchestrator.Aws.Controls;

/// <summary>Lists that AWS gives in pages.</summary>
internal static class Pages
{
    /// <summary>So many are read at most: an account with more of anything has enough to look at.</summary>
    private const int Max = 50;

    /// <param name="page">Items, and the token of the next page; null or empty at the end.</param>
    /// <returns>Items, and whether they are all.</returns>
    public static async Task<(IReadOnlyList<T> Items, bool Complete)> AllAsync<T>(Func<string?, Task<(List<T>? Items, string? Next)>> page)
    {
        List<T> items = [];
        string? next = null;
        for (int read = 0; read < Max; read++)
        {
            (var some, next) = await page(next);
            items.AddRange(some ?? []);
            if (string.IsNullOrEmpty(next))
            {
                return (items, true);
            }
        }

        return (items, false);
    }
}
