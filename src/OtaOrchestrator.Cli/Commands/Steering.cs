using System.CommandLine;
using Grpc.Core;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

/// <summary>The shape that pause, resume, cancel and halt share: one request about one rollout, answered with the rollout.</summary>
internal static class Steering
{
    public static async Task<int> Send(Session session, string verb, Func<Api, CallOptions, AsyncUnaryCall<Rollout>> send)
    {
        var rollout = await session.Api.Call(send, session.Cancellation);
        session.Report.Answer(rollout, () => [$"{verb}: {WatchView.Title(rollout)} is {Say.State(rollout.State)}", .. Next(rollout)]);
        return ExitCode.Ok;
    }

    public static IEnumerable<string> Next(Rollout rollout) => rollout.Next.Length > 0 ? ["next: " + Terminal.Clean(rollout.Next)] : [];
}
