using System.CommandLine;
using Grpc.Core;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

/// <summary>
/// Takes a rollout back. Says what goes back before it asks, ACCEPTED once it is in the journal; from then on the server
/// carries on whatever happens to this process.
/// </summary>
internal static class RollbackCommand
{
    public static Command Create(CliHost host)
    {
        var rollout = new Argument<string?>("rollout")
        {
            Description = "The rollout's name; the environment's newest when left out.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var lane = new Option<string?>("--lane") { Description = "Take back this lane only.", HelpName = "NAME" };
        var wait = Arguments.Wait("Follow until everything reachable is restored.");
        var reason = Arguments.Reason();
        var yes = new Option<bool>("--yes", "-y") { Description = "Don't ask." };
        var kit = new Option<string?>("--kit") { Description = "Only write the undo kit: how to restore by hand.", HelpName = "FILE", Arity = ArgumentArity.ZeroOrOne };
        var rehearse = new Option<string?>("--rehearse") { Description = "Only try the way: send this target there and back without reaching an ordinary user.", HelpName = "TARGET" };
        var release = new Option<string?>("--release") { Description = "What to rehearse with; the newest release that the target doesn't run when left out.", HelpName = "NAME@VERSION" };
        var probe = new Option<string?>("--probe") { Description = "Of a rehearsal: ask every address of the release for this path before it goes back, for example /healthz.", HelpName = "PATH" };
        return new Command("rollback", "Take a rollout back: everything, in the right order, now.") { rollout, lane, wait, reason, yes, kit, rehearse, release, probe }.Does(host, async session =>
        {
            var given = session.Parse.GetValue(rollout);
            if (session.Get(rehearse) is { } target)
            {
                return given is null ? await Rehearsal.Run(session, target, session.Get(release), session.Get(probe)) : throw new CliFailure(ExitCode.Usage, "a rehearsal is of a target, not of a rollout");
            }
            if (session.Get(release) is not null || session.Get(probe) is not null)
            {
                throw new CliFailure(ExitCode.Usage, "--release and --probe are of a rehearsal", "ota rollback --rehearse TARGET");
            }
            try
            {
                return session.Parse.GetResult(kit) is not null
                    ? await WriteKit(session, given, session.Get(kit))
                    : await Undo(session, given, session.Get(lane) ?? "", session.Get(reason) ?? "", session.Get(wait), session.Get(yes));
            }
            catch (Exception failure) when (failure is RpcException rpc ? RpcFailure.IsUnreachable(rpc) : failure is CliFailure { ExitCode: ExitCode.Unreachable })
            {
                var said = failure as CliFailure ?? RpcFailure.Explain((RpcException)failure);
                foreach (var line in UndoKit.WithoutServer(session.Home, given))
                {
                    host.Error.WriteLine(line);
                }
                throw said.ExitCode == ExitCode.Unreachable ? said : new CliFailure(ExitCode.Unreachable, said.Message, said.Hint);
            }
        });
    }

    private static async Task<int> Undo(Session session, string? given, string lane, string reason, bool wait, bool yes)
    {
        var rollout = await Choose(session, given);
        var zone = session.Host.Time.LocalTimeZone;
        if (lane.Length > 0 && rollout.Lanes.All(l => l.Name != lane))
        {
            throw new CliFailure(ExitCode.Usage, $"{ResourceName.Last(rollout.Name)} has no lane `{lane}`", $"lanes: {string.Join(", ", rollout.Lanes.Select(l => l.Name))}");
        }
        if (!AlreadyBack(rollout))
        {
            session.Report.Lines(RollbackView.Target(rollout, session.Api.ActorName, lane, session.Report.Glyphs));
        }
        if (given is null && !yes && session.Report.Live && session.Host.InIsTerminal && !AlreadyBack(rollout) && !await Confirmed(session))
        {
            session.Report.Line("nothing was done.");
            return ExitCode.Ok;
        }

        var request = new RollbackRolloutRequest { Name = rollout.Name, RequestId = Arguments.NewRequestId(), Reason = reason, Lane = lane };
        var answer = await session.Api.Call((api, options) => api.Rollouts.RollbackRolloutAsync(request, options), session.Cancellation);
        foreach (var warning in answer.Warnings)
        {
            session.Report.Note("warning: " + Terminal.Clean(warning));
        }
        session.Report.Line(answer.Already ? RollbackView.Already(answer.Rollout, zone) : RollbackView.Accepted(answer, zone));

        var follows = wait || (session.Report.Live && session.Host.InIsTerminal);
        if (!follows || Restored(answer.Rollout, lane))
        {
            session.Report.Answer(answer, () => []);
            return ExitCode.Ok;
        }
        var last = await RolloutFollower.Follow(session, rollout.Name, answer.JournalRevision, r => Restored(r, lane) || r.State == RolloutState.RollbackStuck || WatchView.HasEnded(r.State));
        answer.Rollout = last.Rollout;
        session.Report.Answer(answer, () => Restored(last.Rollout, lane) ? [RollbackView.Ended(last.Rollout)] : RollbackView.Unfinished(last.Rollout));
        return Restored(last.Rollout, lane) ? ExitCode.Ok
            : last.Rollout.State == RolloutState.RollbackStuck ? ExitCode.RollbackStuck
            : ExitCode.Failure;
    }

    /// <summary>The named one, else the newest that was ever meant to expose anything. Looks no further than that one.</summary>
    private static async Task<Rollout> Choose(Session session, string? given)
    {
        if (given is not null)
        {
            var request = new GetRolloutRequest { Name = await ResourceName.InEnvironment(session, "rollouts", given) };
            return await session.Api.Call((api, options) => api.Rollouts.GetRolloutAsync(request, options), session.Cancellation);
        }
        var newest = await NewestRollout.Find(session, r => !r.Rehearsal && r.State is not (RolloutState.Refused or RolloutState.Cancelled or RolloutState.Superseded))
            ?? throw new CliFailure(ExitCode.NothingToUndo, $"nothing to undo: {await ResourceName.Context(session)} has no rollout");
        if (!AlreadyBack(newest) && !newest.Lanes.Any(RollbackView.HasExposed))
        {
            throw new CliFailure(ExitCode.NothingToUndo, $"nothing to undo: {WatchView.Title(newest)} is {Say.State(newest.State)} and has exposed nothing",
                $"to stop it: ota rollout cancel {ResourceName.Last(newest.Name)}; an older one has to be named");
        }
        return newest;
    }

    private static bool AlreadyBack(Rollout rollout) =>
        rollout.State == RolloutState.RollingBack || (rollout.State == RolloutState.RolledBack && rollout.Lanes.All(l => l.State is RolloutState.RolledBack or RolloutState.Cancelled));

    private static bool Restored(Rollout rollout, string lane) =>
        lane.Length == 0 ? rollout.State == RolloutState.RolledBack : rollout.Lanes.FirstOrDefault(l => l.Name == lane)?.State == RolloutState.RolledBack;

    private static async Task<bool> Confirmed(Session session)
    {
        session.Host.Error.Write("Take it back? [y/N] ");
        var answer = await session.Host.In.ReadLineAsync(session.Cancellation);
        return answer?.Trim() is "y" or "Y" or "yes";
    }

    private static async Task<int> WriteKit(Session session, string? given, string? file)
    {
        var rollout = given is null ? (await Choose(session, null)).Name : await ResourceName.InEnvironment(session, "rollouts", given);
        var sheet = await UndoKit.Fetch(session, rollout);
        var path = Path.GetFullPath(file ?? UndoKit.FileName(rollout));
        await UndoKit.Write(path, sheet, session.Cancellation);
        session.Report.Answer(sheet, () => [$"undo kit of {ResourceName.Last(rollout)}: {path}"]);
        return ExitCode.Ok;
    }
}
