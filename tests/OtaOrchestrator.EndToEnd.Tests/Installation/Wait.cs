using System.Diagnostics;

namespace OtaOrchestrator.EndToEnd.Tests.Installation;

/// <summary>Waits for a condition, never for a time.</summary>
internal static class Wait
{
    public static async Task<T> ForAsync<T>(Func<Task<T?>> look, TimeSpan limit, Func<string> otherwise) where T : class
    {
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            if (await look() is { } found)
            {
                return found;
            }
            Assert.True(Stopwatch.GetElapsedTime(started) < limit, otherwise());
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    public static Task UntilAsync(Func<Task<bool>> holds, TimeSpan limit, Func<string> otherwise) =>
        ForAsync(async () => await holds() ? "" : null, limit, otherwise);
}
