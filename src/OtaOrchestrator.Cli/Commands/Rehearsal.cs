using Google.Protobuf.WellKnownTypes;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

/// <summary>Sends a target there and back without reaching an ordinary user, and says how long the way back took.</summary>
internal static class Rehearsal
{
    private const string ProbeName = "probe";

    /// <param name="probe">A path that every address of the release must answer while it stands beside the old one; null for none.</param>
    public static async Task<int> Run(Session session, string target, string? release, string? probe)
    {
        if (probe is not null && !probe.StartsWith('/'))
        {
            throw new CliFailure(ExitCode.Usage, $"`{probe}` is not a path that begins with /");
        }
        var parent = await ResourceName.Context(session);
        var lane = new LanePlan { Target = target, Release = release ?? await Newest(session, parent, target) };
        if (probe is not null)
        {
            lane.Checks.Add(new CheckPlan { Name = ProbeName, Source = "http", When = "test", Url = "{candidate}" + probe, SamplesMin = 3, Interval = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(500)) });
            lane.Steps.Add(new StepPlan { Share = 0, Test = ProbeName, BakeMin = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)) });
        }
        var request = new CreateRolloutRequest
        {
            Parent = parent,
            RequestId = Arguments.NewRequestId(),
            Rehearsal = true,
            Plan = new Plan { Name = "rehearsal", Lanes = { lane } },
        };
        var rollout = await session.Api.Call((api, options) => api.Rollouts.CreateRolloutAsync(request, options), session.Cancellation);
        var there = rollout.Lanes[0];
        session.Report.Line($"REHEARSING {target}: {ResourceName.Version(there.Fallback)} {session.Report.Glyphs.Arrow} {ResourceName.Version(there.Candidate)} and back");
        var last = (await RolloutFollower.Follow(session, rollout.Name, 0, r => WatchView.HasEnded(r.State) || r.State is RolloutState.RollbackStuck or RolloutState.Held)).Rollout;
        bool back = last.State == RolloutState.RolledBack;
        // Whoever found it ill there took it back as well: the way back works, and what was sent along it does not.
        var ill = last.Lanes[0].Judgement is { Verdict: "unhealthy" } judgement ? judgement.Cause : "";
        var took = Say.Span(last.Lanes[0].ReturnTook?.ToTimeSpan() ?? TimeSpan.Zero);
        session.Report.Answer(last, () => !back ? RollbackView.Unfinished(last)
            : [ill.Length == 0 ? $"REHEARSED {target}: back in {took}" : Terminal.Clean($"UNHEALTHY {target}: {ill}; back in {took}")]);
        return back ? ill.Length == 0 ? ExitCode.Ok : ExitCode.RolledBack
            : last.State == RolloutState.RollbackStuck ? ExitCode.RollbackStuck : ExitCode.WrongState;
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
