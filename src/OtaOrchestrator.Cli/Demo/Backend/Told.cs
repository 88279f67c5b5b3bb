using OtaOrchestrator.Cli.Commands;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Demo.Backend;

/// <summary>A rollout that has come to an end, with its whole journal.</summary>
internal sealed record Told(Rollout Rollout, IReadOnlyList<JournalEntry> Journal)
{
    public string State => Say.State(Rollout.State);

    /// <summary>From the verdict to the read-back of the return; null when it did not return.</summary>
    public double? SecondsToRestored
    {
        get
        {
            var story = new WatchRolloutResponse { Rollout = Rollout };
            story.Entries.AddRange(Journal);
            var seconds = BadAct.SecondsToRestored(story);
            return double.IsFinite(seconds) ? Math.Round(seconds, 2) : null;
        }
    }

    /// <summary>When the return was read back; null when it did not return.</summary>
    public long? RestoredMs => Journal.FirstOrDefault(entry => BadAct.Word(entry.To) == "rolledback")?.Time.ToDateTimeOffset().ToUnixTimeMilliseconds();

    /// <summary>Starts a rollout and follows it to its end.</summary>
    public static async Task<Told> Run(Stage stage, DemoProgress progress, string plan, CancellationToken cancellation)
    {
        var rollout = await Acts.Start(stage, Plans.Read(plan), cancellation);
        return await ToTheEnd(stage, progress, rollout.Name, cancellation);
    }

    public static async Task<Told> ToTheEnd(Stage stage, DemoProgress progress, string name, CancellationToken cancellation) =>
        await Until(stage, progress, name, Acts.HasEnded, cancellation);

    /// <summary>Takes a rollout back as a person does, and follows it until it is back.</summary>
    public static async Task<Told> Back(Stage stage, DemoProgress progress, string name, string reason, CancellationToken cancellation)
    {
        var request = new RollbackRolloutRequest { Name = name, RequestId = Arguments.NewRequestId(), Reason = reason };
        var answer = await stage.Api.Call((api, options) => api.Rollouts.RollbackRolloutAsync(request, options), cancellation);
        progress.Event($"rollback accepted, journal {answer.JournalRevision}");
        return await Until(stage, progress, name, rollout => rollout.State is RolloutState.RolledBack or RolloutState.RollbackStuck, cancellation);
    }

    private static async Task<Told> Until(Stage stage, DemoProgress progress, string name, Func<Rollout, bool> stop, CancellationToken cancellation)
    {
        var last = await Acts.Follow(stage, progress, name, 0, stop, _ => { }, cancellation);
        return new Told(last.Rollout, await GoodAct.Journal(stage, name, cancellation));
    }
}
