namespace OtaOrchestrator.Cli.Demo.Cloud;

/// <summary>What the scenario ends with. Every value is read from the doubles, from devices or from the journal; what was not reached stays null.</summary>
internal sealed record CloudReport
{
    public IReadOnlyList<CloudTarget> Targets { get; init; } = [];
    public CloudFleet? Fleet { get; init; }

    /// <summary>Of the orchestrator: <c>service:Operation</c> to how often. AWS IoT's are not counted, for it has no double but the device plane.</summary>
    public IReadOnlyDictionary<string, long> Calls { get; init; } = new SortedDictionary<string, long>();

    /// <summary>Requests that AWS's own models forbid.</summary>
    public long Violations { get; init; }
    public CrashReport? Crash { get; init; }
    public double Seconds { get; init; }

    /// <summary>What is not as it should be; empty when all is.</summary>
    public IReadOnlyList<string> Findings { get; init; } = [];

    /// <summary>What the scenario promises, checked against what was read.</summary>
    public IEnumerable<string> Check(int targets)
    {
        List<(bool Holds, string Otherwise)> promises =
        [
            (Targets.Count == targets, $"{Targets.Count} of {targets} traffic targets were told of"),
            (Fleet?.State == "SUCCEEDED", $"the devices' good rollouts ended {Fleet?.State}"),
            (Fleet?.OnOld == Fleet?.Devices, $"{Fleet?.OnOld} of {Fleet?.Devices} devices are back on the old firmware at the end"),
            (Fleet?.TookBad > 0, "no device took the bad firmware: nothing was proven"),
            (Crash is { Resumed: true }, "the rollout was not carried on after the server was killed"),
            (Calls.Count > 0, "AWS was never called"),
            (Violations == 0, $"{Violations} requests were none that AWS would have understood"),
        ];
        foreach (var target in Targets)
        {
            promises.Add((target.Good.State == "SUCCEEDED", $"{target.Service}: the good rollout ended {target.Good.State}"));
            promises.Add((target.Good.StateAfterReturn == "ROLLED BACK", $"{target.Service}: its return ended {target.Good.StateAfterReturn}"));
            promises.Add((target.Bad.State == "ROLLED BACK", $"{target.Service}: the bad rollout ended {target.Bad.State}"));
            promises.Add((target.Changed, $"{target.Service}: nothing was ever changed"));
            promises.Add((target.RestoredExactly, $"{target.Service}: its configuration is not the one from before"));
        }
        return promises.Where(promise => !promise.Holds).Select(promise => promise.Otherwise);
    }
}

/// <param name="Changed">Its configuration was another one while the good rollout had succeeded.</param>
/// <param name="RestoredExactly">After each of the two returns it was what it had been, byte for byte but for ETags and revisions.</param>
internal sealed record CloudTarget(string Service, CloudOutcome Good, CloudOutcome Bad, bool Changed, bool RestoredExactly);

/// <param name="StateAfterReturn">Of the good one, when it was taken back by hand.</param>
internal sealed record CloudOutcome(string State, string? Cause, string? StateAfterReturn, double? SecondsToRestored);

/// <param name="State">Of the good rollouts: SUCCEEDED when all did.</param>
/// <param name="TookBad">Devices that ran the bad firmware at one time or another, over all bad rollouts.</param>
internal sealed record CloudFleet(string State, long Devices, long OnNew, long OnOld, long TookBad);
