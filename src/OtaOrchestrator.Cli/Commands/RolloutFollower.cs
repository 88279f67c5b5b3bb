using Grpc.Core;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

/// <summary>Follows a rollout to its end, through restarts of the server: it resumes after the last revision that it saw.</summary>
internal static class RolloutFollower
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan BetweenTries = TimeSpan.FromMilliseconds(500);

    /// <summary>Ends when <paramref name="ended"/>; unreachable for two minutes is a <see cref="CliFailure"/>.</summary>
    public static async Task<WatchRolloutResponse> Follow(Session session, string name, long afterRevision, Func<Rollout, bool> ended)
    {
        if (!session.Report.Live)
        {
            return await Read(session.Api, session.Report, session.Host.Time, name, afterRevision, ended, (_, entries) => session.Report.Lines(entries.Select(e => JournalLine.Render(e, session.Host.Time.LocalTimeZone))), session.Cancellation);
        }
        WatchRolloutResponse? last = null;
        var recent = new Queue<string>();
        await session.Report.InPlace(async show => last = await Read(session.Api, session.Report, session.Host.Time, name, afterRevision, ended, (rollout, entries) =>
        {
            foreach (var entry in entries)
            {
                recent.Enqueue(JournalLine.Render(entry, session.Host.Time.LocalTimeZone));
                if (recent.Count > 4)
                {
                    recent.Dequeue();
                }
            }
            var picture = WatchView.Render(rollout, session.Host.Time.GetUtcNow(), session.Host.Time.LocalTimeZone, session.Report.Glyphs, session.Report.Width);
            show([.. picture, .. recent.Select(line => Terminal.Cut(line, session.Report.Width))]);
        }, session.Cancellation));
        return last!;
    }

    /// <summary>How a watched rollout's end is told to scripts.</summary>
    public static int CodeOf(RolloutState state) => state switch
    {
        RolloutState.Succeeded => ExitCode.Ok,
        RolloutState.RolledBack => ExitCode.RolledBack,
        RolloutState.RollbackStuck => ExitCode.RollbackStuck,
        RolloutState.Refused or RolloutState.Cancelled or RolloutState.Superseded => ExitCode.WrongState,
        _ => ExitCode.Failure,
    };

    /// <summary>Calls <paramref name="changed"/> with each new state and the entries that led to it, every entry once.</summary>
    public static async Task<WatchRolloutResponse> Read(
        Api api, Report report, TimeProvider time, string name, long afterRevision, Func<Rollout, bool> ended, Action<Rollout, IReadOnlyList<JournalEntry>> changed, CancellationToken cancellation)
    {
        var all = new WatchRolloutResponse();
        var seen = afterRevision;
        var lastContact = time.GetTimestamp();
        var lost = false;
        while (true)
        {
            try
            {
                var request = new WatchRolloutRequest { Name = name, AfterRevision = seen };
                using var call = api.Rollouts.WatchRollout(request, cancellationToken: cancellation);
                await foreach (var message in call.ResponseStream.ReadAllAsync(cancellation))
                {
                    lastContact = time.GetTimestamp();
                    if (lost)
                    {
                        lost = false;
                        report.Note("the server answers again.");
                    }
                    // A server that repeats itself after a reconnect shows nothing twice.
                    var news = message.Entries.Where(e => e.Revision > seen).OrderBy(e => e.Revision).ToList();
                    all.Entries.AddRange(news);
                    all.Rollout = message.Rollout;
                    seen = Math.Max(seen, news.Count > 0 ? news[^1].Revision : seen);
                    changed(message.Rollout, news);
                    if (ended(message.Rollout))
                    {
                        return all;
                    }
                }
            }
            catch (Exception failure) when (failure is RpcException rpc ? RpcFailure.MayRepeat(rpc) : failure is CliFailure { ExitCode: ExitCode.Unreachable })
            {
                if (!lost)
                {
                    lost = true;
                    report.Note("the server does not answer; the rollout is in its journal, trying again ...");
                }
            }
            if (time.GetElapsedTime(lastContact) > Patience)
            {
                throw new CliFailure(ExitCode.Unreachable, "the server has not answered for two minutes", "ota serve, then the same command again: nothing is lost");
            }
            api.Forget();
            await Task.Delay(BetweenTries, time, cancellation);
        }
    }
}
