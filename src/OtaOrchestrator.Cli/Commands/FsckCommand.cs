using System.CommandLine;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class FsckCommand
{
    public static Command Create(CliHost host) =>
        new Command("fsck", "Read journal, rows, targets and devices again and compare them. Ends with 1 when they differ.").Does(host, async session =>
        {
            var request = new CheckConsistencyRequest { Parent = await ResourceName.Context(session) };
            var answer = await session.Api.Call((api, options) => api.Audit.CheckConsistencyAsync(request, options), session.Cancellation, TimeSpan.FromMinutes(10));
            session.Report.Answer(answer, () => Lines(answer));
            return answer.Findings.Count == 0 ? ExitCode.Ok : ExitCode.Failure;
        });

    private static IEnumerable<string> Lines(CheckConsistencyResponse answer)
    {
        foreach (var finding in answer.Findings)
        {
            yield return Terminal.Clean($"[NG] {finding.Kind}  {finding.Subject}");
            yield return Terminal.Clean($"     expected {finding.Expected}, found {finding.Found}");
            if (finding.Hint.Length > 0)
            {
                yield return Terminal.Clean($"     hint: {finding.Hint}");
            }
        }
        yield return $"{(answer.Findings.Count == 0 ? "[OK] nothing differs" : Say.Plural(answer.Findings.Count, "finding"))}: {Say.Plural(answer.Rollouts, "rollout")}, {Say.Count(answer.Entries)} journal entries, {Say.Plural(answer.Effects, "effect")}, {Say.Plural(answer.Devices, "device")}";
    }
}
