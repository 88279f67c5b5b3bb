using OtaOrchestrator.EndToEnd.Tests.Installation;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.EndToEnd.Tests;

/// <summary>A function and the devices of an account change together: jobs of AWS IoT over its own tools' door, images from a bucket.</summary>
// Beside the others: it mostly waits.
public sealed class IotTests
{
    private const int Devices = 12;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    [Fact]
    [Trait("Gate", "Full")]
    public async Task Function_and_devices_go_there_together_and_one_command_takes_both_back()
    {
        await using var site = await CloudSite.StartAsync(Devices);
        var before = await site.ServesAsync();
        await site.LoadAsync(errors: 0);
        await site.StartBothAsync("autumn", "2.4.0");
        await site.UntilAsync("autumn", RolloutState.Succeeded, Limit);
        await site.Iot!.AllRunAsync("2.4.0", Devices);
        Assert.Contains("\"FunctionVersion\":\"2\"", await site.ServesAsync(), StringComparison.Ordinal);

        await site.OtaAsync("rollback", "autumn", "-e", "production", "--reason", "second thoughts");
        await site.UntilAsync("autumn", RolloutState.RolledBack, Limit);
        await site.Iot.AllRunAsync("2.3.1", Devices);
        Assert.Equal(before, await site.ServesAsync());
        Assert.Equal(2, (await site.Aws.CallsAsync()).Count(call => call is { Service: "s3", Operation: "PutObject" }));
        Assert.Empty((await site.OtaAsync("fsck", "-e", "production")).GetProperty("findings").EnumerateArray());
        await site.CleanAsync();
    }

    [Fact]
    [Trait("Gate", "Full")]
    public async Task Ill_firmware_on_devices_takes_the_function_back_too()
    {
        await using var site = await CloudSite.StartAsync(Devices);
        var before = await site.ServesAsync();
        await site.LoadAsync(errors: 0);
        await site.StartBothAsync("autumn", "2.4.4");
        await site.UntilAsync("autumn", RolloutState.RolledBack, Limit);
        await site.Iot!.AllRunAsync("2.3.1", Devices);
        Assert.Equal(before, await site.ServesAsync());
        await site.CleanAsync();
    }
}
