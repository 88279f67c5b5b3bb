namespace OtaOrchestrator.Cli.Tests.TestHost;

internal static class Condition
{
    /// <summary>Waits until it holds; fails after 20 s.</summary>
    public static async Task Holds(Func<bool> condition, string what = "the condition")
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(20), $"{what} did not come to hold");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }
}
