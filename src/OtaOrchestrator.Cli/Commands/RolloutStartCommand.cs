using System.CommandLine;
using Google.Protobuf;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class RolloutStartCommand
{
    public static Command Create(CliHost host)
    {
        var plan = new Argument<string[]>("plan") { Description = "A plan file, - for standard input, or target=release@version for each lane.", Arity = ArgumentArity.OneOrMore };
        var id = new Option<string?>("--name") { Description = "The rollout's name; made from the plan's when left out.", HelpName = "NAME" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Let the server check everything and start nothing." };
        var supersede = new Option<bool>("--supersede") { Description = "Take over from the rollout that has the targets: a fix that goes forward, with the same way back." };
        var wait = Arguments.Wait("Follow to the end; ends like `ota rollout watch`.");
        return new Command("start", "Start a rollout.") { plan, id, dryRun, supersede, wait }.Does(host, async session =>
        {
            var read = PlanSource.Valid(await PlanSource.Read(host, session.Required(plan), session.Cancellation));
            var request = new CreateRolloutRequest
            {
                Parent = await ResourceName.Context(session),
                Plan = ToProto(read),
                RolloutId = session.Get(id) ?? "",
                RequestId = Arguments.NewRequestId(),
                ValidateOnly = session.Get(dryRun),
                Supersede = session.Get(supersede),
            };
            var rollout = await session.Api.Call((api, options) => api.Rollouts.CreateRolloutAsync(request, options), session.Cancellation);
            if (request.ValidateOnly)
            {
                session.Report.Answer(rollout, () => ["VALID, nothing was started", .. Picture(session, rollout), .. ImpactView.Lines(rollout.Impact, session.Report.Glyphs)]);
                return ExitCode.Ok;
            }
            await UndoKit.Keep(session, rollout.Name);
            if (!session.Get(wait))
            {
                session.Report.Answer(rollout, () => [.. ImpactView.Lines(rollout.Impact, session.Report.Glyphs), $"STARTED {WatchView.Title(rollout)}", .. Steering.Next(rollout), $"follow: ota rollout watch {ResourceName.Last(rollout.Name)}"]);
                return ExitCode.Ok;
            }
            session.Report.Line($"STARTED {WatchView.Title(rollout)}");
            var last = await RolloutFollower.Follow(session, rollout.Name, 0, r => WatchView.HasEnded(r.State) || r.State == RolloutState.RollbackStuck);
            session.Report.Answer(last, () => [$"{Say.State(last.Rollout.State)} {WatchView.Title(last.Rollout)}{(last.Rollout.Cause.Length > 0 ? ": " + Terminal.Clean(last.Rollout.Cause) : "")}"]);
            return RolloutFollower.CodeOf(last.Rollout.State);
        });
    }

    /// <summary>The plan on the wire: the same names, so its proto JSON is read as it is.</summary>
    public static Protocol.V1.Plan ToProto(Core.Plans.Plan plan) => JsonParser.Default.Parse<Protocol.V1.Plan>(PlanJson.Of(plan));

    private static IReadOnlyList<string> Picture(Session session, Rollout rollout) =>
        WatchView.Render(rollout, session.Host.Time.GetUtcNow(), session.Host.Time.LocalTimeZone, session.Report.Glyphs, session.Report.Width);
}
