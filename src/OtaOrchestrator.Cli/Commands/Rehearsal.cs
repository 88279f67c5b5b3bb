using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

/// <summary>Sends a target there and back without reaching an ordinary user, and says how long the way back took.</summary>
internal static class Rehearsal
{
    public static async Task<int> Run(Session session, string target, string? release)
    {
        var parent = await ResourceName.Context(session);
        var request = new CreateRolloutRequest
        {
            Parent = parent,
            RequestId = Arguments.NewRequestId(),
            Rehearsal = true,
            Plan = new Plan { Name = "rehearsal", Lanes = { new LanePlan { Target = target, Release = release ?? await Newest(session, parent, target) } } },
        };
        var rollout = await session.Api.Call((api, options) => api.Rollouts.CreateRolloutAsync(request, options), session.Cancellation);
        var there = rollout.Lanes[0];
        session.Report.Line($"REHEARSING {target}: {ResourceName.Version(there.Fallback)} {session.Report.Glyphs.Arrow} {ResourceName.Version(there.Candidate)} and back");
        var last = (await RolloutFollower.Follow(session, rollout.Name, 0, r => WatchView.HasEnded(r.State) || r.State is RolloutState.RollbackStuck or RolloutState.Held)).Rollout;
        bool back = last.State == RolloutState.RolledBack;
        session.Report.Answer(last, () => back
            ? [$"REHEARSED {target}: back in {Say.Span(last.Lanes[0].ReturnTook?.ToTimeSpan() ?? TimeSpan.Zero)}"]
            : [$"{Say.State(last.State)}: {Terminal.Clean(last.Cause.Length > 0 ? last.Cause : last.Lanes[0].Cause)}"]);
        return back ? ExitCode.Ok : last.State == RolloutState.RollbackStuck ? ExitCode.RollbackStuck : ExitCode.WrongState;
    }

    /// <summary>The newest release that the target could go to: of the same name as what it runs, and not held there.</summary>
    private static async Task<string> Newest(Session session, string parent, string target)
    {
        var name = await ResourceName.InEnvironment(session, "targets", target);
        var now = await session.Api.Call((api, options) => api.Environments.GetTargetAsync(new GetTargetRequest { Name = name }, options), session.Cancellation);
        var current = ResourceName.Last(now.CurrentRelease);
        var list = new ListReleasesRequest { Filter = $"name=\"{current.Split('@')[0]}\"", PageSize = 1000 };
        var all = await session.Api.Call((api, options) => api.Releases.ListReleasesAsync(list, options), session.Cancellation);
        return all.Releases.Where(found => ResourceName.Last(found.Name) != current && found.Holds.All(hold => hold.Environment != parent))
            .OrderByDescending(found => found.PublishTime?.ToDateTimeOffset()).Select(found => ResourceName.Last(found.Name)).FirstOrDefault()
            ?? throw new CliFailure(ExitCode.Usage, $"there is no other release of {current.Split('@')[0]} to rehearse with", "ota rollback --rehearse TARGET --release NAME@VERSION");
    }
}
