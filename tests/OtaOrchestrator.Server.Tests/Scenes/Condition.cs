using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace OtaOrchestrator.Server.Tests.Scenes;

internal static class Condition
{
    /// <summary>Waits until it holds, at most half a minute.</summary>
    public static async Task Holds(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(30), $"never: {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }
}
