using System.Globalization;

namespace OtaOrchestrator.Cli.Demo.Backend;

/// <summary>What the scenario ends with. Every value is read from the clients' side or from the journal; what was not reached stays null.</summary>
internal sealed record BackendReport
{
    /// <summary>There and back, there again in three steps, two candidates there and back, and the last one there, and back through the new router.</summary>
    private const int SwitchesMin = 2 + 3 + 2 + 2 + 2 + 1;

    /// <summary>Of all kinds: short ones, slow ones, streams.</summary>
    public long Requests { get; init; }

    /// <summary>What a client saw fail for another reason than the bad candidate's own errors.</summary>
    public long Failed { get; init; }
    public IReadOnlyList<string> Causes { get; init; } = [];
    public long SlowRequests { get; init; }
    public long Streams { get; init; }

    /// <summary>How often the share of users on a candidate changed.</summary>
    public int Switches { get; init; }
    public BlueGreen? BlueGreen { get; init; }
    public Canary? Canary { get; init; }
    public ErrorCandidate? ErrorCandidate { get; init; }
    public SlowCandidate? SlowCandidate { get; init; }
    public ControllerLoss? ControllerLoss { get; init; }
    public RouterUpgrade? RouterUpgrade { get; init; }

    /// <summary>Of requests sent while weights switched, over that of the same load with nothing changing, in the same run.</summary>
    public double? P99RatioDuringSwitch { get; init; }
    public double? P99MsDuringSwitch { get; init; }
    public double? P99MsQuiet { get; init; }
    public double Seconds { get; init; }

    /// <summary>What is not as it should be; empty when all is.</summary>
    public IReadOnlyList<string> Findings { get; init; } = [];

    /// <summary>What the scenario promises, checked against what was read.</summary>
    public IEnumerable<string> Check()
    {
        (bool Holds, string Otherwise)[] promises =
        [
            (Requests > 0, "there were no requests"),
            (SlowRequests > 0, "there were no slow requests"),
            (Streams > 0, "there were no streams"),
            (Failed == 0, $"{Failed} of {Requests} requests failed: {string.Join(", ", Causes)}"),
            (Switches >= SwitchesMin, $"{Switches} switches, {SwitchesMin} are in the story"),
            (BlueGreen?.State == "SUCCEEDED", $"Blue-Green ended {BlueGreen?.State}"),
            (BlueGreen?.StateAfterReturn == "ROLLED BACK", $"Blue-Green's return ended {BlueGreen?.StateAfterReturn}"),
            (Canary?.State == "SUCCEEDED", $"the canary ended {Canary?.State}"),
            (ErrorCandidate?.State == "ROLLED BACK", $"the candidate with errors ended {ErrorCandidate?.State}"),
            (ErrorCandidate?.ExposedErrors > 0, "nobody saw an error of the candidate with errors: nothing was proven"),
            (ErrorCandidate?.RequestsAfterRestored == 0, $"{ErrorCandidate?.RequestsAfterRestored} requests reached the candidate with errors after it was taken back"),
            (ErrorCandidate?.ExitCode == 0, $"the candidate with errors ended with {ErrorCandidate?.ExitCode} after it was drained"),
            (SlowCandidate?.State == "ROLLED BACK", $"the slow candidate ended {SlowCandidate?.State}"),
            (SlowCandidate?.RequestsAfterRestored == 0, $"{SlowCandidate?.RequestsAfterRestored} requests reached the slow candidate after it was taken back"),
            (SlowCandidate?.ExitCode == 0, $"the slow candidate ended with {SlowCandidate?.ExitCode} after it was drained"),
            (ControllerLoss?.State == "SUCCEEDED", $"the rollout without its orchestrator ended {ControllerLoss?.State}"),
            (ControllerLoss is { Resumed: true }, "the rollout was not carried on after the orchestrator was killed"),
            (ControllerLoss?.CandidateShare is > 0.2 and < 0.3, string.Create(CultureInfo.InvariantCulture, $"without its orchestrator the router sent {ControllerLoss?.CandidateShare:0.###} of the requests to the candidate")),
            (ControllerLoss?.Requests > 0, "nothing was asked for while the orchestrator was gone"),
            (RouterUpgrade?.Requests > 0, "nothing was asked for during the router's upgrade"),
            (RouterUpgrade?.ExitCode == 0, $"the old router ended with {RouterUpgrade?.ExitCode}"),
            (RouterUpgrade?.StateAfterwards == "ROLLED BACK", $"the rollback through the new router ended {RouterUpgrade?.StateAfterwards}"),
            (P99RatioDuringSwitch > 0, "there is no p99 to compare"),
        ];
        return promises.Where(promise => !promise.Holds).Select(promise => promise.Otherwise);
    }
}

internal sealed record BlueGreen(string State, string StateAfterReturn, double? SecondsToRestored);

internal sealed record Canary(string State);

/// <param name="ExposedErrors">The candidate's own errors that clients saw.</param>
/// <param name="SecondsToRestored">From the verdict to the read-back of the return.</param>
/// <param name="ExitCode">Of its process, which was told to end when the router had drained it.</param>
internal sealed record ErrorCandidate(string State, string Cause, long ExposedErrors, double? SecondsToRestored, long RequestsAfterRestored, int ExitCode);

/// <inheritdoc cref="ErrorCandidate"/>
internal sealed record SlowCandidate(string State, string Cause, double? SecondsToRestored, long RequestsAfterRestored, int ExitCode);

/// <param name="CandidateShare">Of the requests while there was no orchestrator.</param>
/// <param name="Requests">While there was none.</param>
internal sealed record ControllerLoss(string State, bool Resumed, double CandidateShare, long Requests, long Failed);

/// <param name="StateAfterwards">Of the rollout that was taken back through the new router.</param>
/// <param name="Requests">From the new process's start to the old one's end.</param>
internal sealed record RouterUpgrade(string StateAfterwards, int ExitCode, long Requests, long Failed);
