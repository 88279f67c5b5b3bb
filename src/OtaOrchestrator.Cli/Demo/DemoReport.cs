using System.Text.Json.Serialization;

namespace OtaOrchestrator.Cli.Demo;

/// <summary>What the demo ends with. Every value is read from devices, router and journal; what was not reached stays null.</summary>
internal sealed record DemoReport
{
    public int Devices { get; init; }
    public long FirstWave { get; init; }
    public GoodRollout? Good { get; init; }
    public BadRollout? Bad { get; init; }
    public long Requests { get; init; }
    public long FailedRequests { get; init; }
    public TamperedImage? Tampered { get; init; }
    public ForgedUpdate? Forged { get; init; }
    public CrashReport? Crash { get; init; }
    public double Seconds { get; init; }

    /// <summary>What is not as it should be; empty when all is.</summary>
    public IReadOnlyList<string> Findings { get; init; } = [];

    /// <summary>What the demo promises, checked against what was read.</summary>
    public IEnumerable<string> Check()
    {
        (bool Holds, string Otherwise)[] promises =
        [
            (Good?.State == "SUCCEEDED", $"the good rollout ended {Good?.State}"),
            (Good?.DevicesOnNew == Devices, $"{Good?.DevicesOnNew} of {Devices} devices run the new firmware"),
            (Crash is { Resumed: true }, "the rollout was not carried on after the server was killed"),
            (FirstWave > 0, "the bad rollout's first wave offered nothing"),
            (Bad?.State == "ROLLED BACK", $"the bad rollout ended {Bad?.State}"),
            (Bad?.DevicesThatTookIt > 0, "no device took the bad firmware: nothing was proven"),
            (Bad?.DevicesThatTookIt <= FirstWave, $"{Bad?.DevicesThatTookIt} devices took the bad firmware, the first wave has {FirstWave}"),
            (Bad?.DevicesOnOld == Devices, $"{Bad?.DevicesOnOld} of {Devices} devices are back on the old firmware"),
            (Bad is { BackendRestored: true }, "the back end was not restored"),
            (Requests > 0, "there were no requests"),
            (FailedRequests == 0, $"{FailedRequests} of {Requests} requests failed"),
            (Tampered is { PublishRefused: true }, "a tampered image could be published"),
            (Forged?.Installed == 0, $"{Forged?.Installed} devices installed a forged image"),
            (Forged?.Reported == Devices, $"{Forged?.Reported} of {Devices} devices reported the forged image"),
        ];
        return promises.Where(promise => !promise.Holds).Select(promise => promise.Otherwise);
    }
}

internal sealed record GoodRollout(string State, long DevicesOnNew);

internal sealed record BadRollout(string State, long DevicesThatTookIt, long DevicesOnOld, bool BackendRestored, double SecondsToRestored);

internal sealed record TamperedImage(bool PublishRefused);

internal sealed record ForgedUpdate(long Installed, long Reported);

/// <param name="EntriesBefore">Journal entries before the server was killed.</param>
/// <param name="EntriesAfter">Written by the server that was started afterwards.</param>
internal sealed record CrashReport(bool Resumed, long EntriesBefore, long EntriesAfter);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(DemoReport))]
[JsonSerializable(typeof(Backend.BackendReport))]
[JsonSerializable(typeof(Cloud.CloudReport))]
internal sealed partial class DemoJson : JsonSerializerContext;
