namespace OtaOrchestrator.Agent.Tests;

internal static class Wait
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits for a condition; fails with what was there instead.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition, Func<string> instead)
    {
        var time = TimeProvider.System;
        long since = time.GetTimestamp();
        while (!await condition())
        {
            Assert.True(time.GetElapsedTime(since) < FleetBench.Patience, instead());
            await Task.Delay(Between, time, TestContext.Current.CancellationToken);
        }
    }

    public static Task UntilAsync(Func<bool> condition, Func<string> instead) => UntilAsync(() => Task.FromResult(condition()), instead);
}
