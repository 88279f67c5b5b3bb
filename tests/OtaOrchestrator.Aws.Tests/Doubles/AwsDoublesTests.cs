using System.Globalization;
using System.Text.RegularExpressions;

namespace OtaOrchestrator.Aws.Tests.Doubles;

/// <summary>The doubles are held against botocore and the <c>aws</c> command line, in Python; this runs those tests and the door that C# has.</summary>
public sealed partial class AwsDoublesTests
{
    [Fact]
    public async Task Real_clients_find_in_the_doubles_what_AWS_documents()
    {
        using var tests = AwsDoubles.Start(["-m", "unittest", "-v"], Path.Combine(AwsDoubles.Folder, "tests"));
        tests.StandardInput.Close();
        var output = tests.StandardOutput.ReadToEndAsync();
        var report = await tests.StandardError.ReadToEndAsync();
        await tests.WaitForExitAsync();
        Assert.True(tests.ExitCode == 0, report + await output);
        Assert.True(int.Parse(Ran().Match(report).Groups[1].Value, CultureInfo.InvariantCulture) > 0, report);
    }

    [Fact]
    public async Task Faults_calls_and_snapshots_are_at_hand()
    {
        await using var aws = await AwsDoubles.StartAsync("--period-seconds", "1");
        await aws.AdminAsync("lambda/functions", new { name = "api", codes = new[] { "1", "2" }, aliases = new { live = "1" } });
        var before = await aws.SnapshotAsync("lambda");
        var fault = await aws.FaultAsync(new AwsFault("hold", "lambda", "UpdateAlias", When: "after"));
        Assert.NotNull(fault.Id);
        Assert.Empty(await aws.HeldAsync());
        await aws.ActAsync("lambda", "UpdateAlias", new { FunctionName = "api", Name = "live", FunctionVersion = "2" }, "night-shift");
        Assert.NotEqual(before, await aws.SnapshotAsync("lambda"));
        await aws.ActAsync("lambda", "UpdateAlias", new { FunctionName = "api", Name = "live", FunctionVersion = "1" });
        Assert.Equal(before, await aws.SnapshotAsync("lambda"));
        var calls = await aws.CallsAsync(from: 3);
        Assert.Equal([("UpdateAlias", "night-shift", 200), ("UpdateAlias", "somebody", 200)], calls.Select(c => (c.Operation, c.User, c.Status ?? 0)));
        await aws.LoadAsync(new AwsLoad("lambda", "api:live", 50, new() { ["1"] = 0.1 }));
        await aws.SetAsync(new { lambdaPendingReads = 3 });
        await aws.ReleaseAsync(fault.Id);
        var change = new AwsChange("UpdateAlias", new { FunctionName = "api", Name = "live", Description = "moved" });
        Assert.NotNull((await aws.FaultAsync(new AwsFault("move", "lambda", Change: change))).Id);
        Assert.Empty(await aws.ViolationsAsync());
        Assert.Empty(await aws.BugsAsync());
        await Assert.ThrowsAsync<InvalidOperationException>(() => aws.ActAsync("lambda", "UpdateAlias", new { FunctionName = "api" }));
    }

    [GeneratedRegex(@"Ran (\d+) tests")]
    private static partial Regex Ran();
}
