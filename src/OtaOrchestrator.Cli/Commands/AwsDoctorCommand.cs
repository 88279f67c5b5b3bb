using System.CommandLine;
using Grpc.Core;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;
using Verdict = OtaOrchestrator.Protocol.V1.AwsAccountFinding.Types.Verdict;

namespace OtaOrchestrator.Cli.Commands;

internal static class AwsDoctorCommand
{
    public static Command Create(CliHost host) =>
        new Command("doctor", "Look at the AWS account of an environment with the server's credentials, and say what is missing and where it is made. Writes nothing. Ends with 1 when something is missing or can't be seen.").Does(host, async session =>
        {
            var request = new ExamineAwsAccountRequest { Parent = await ResourceName.Context(session) };
            var answer = new ExamineAwsAccountResponse();
            using var call = session.Api.Environments.ExamineAwsAccount(request, cancellationToken: session.Cancellation);
            await foreach (var part in call.ResponseStream.ReadAllAsync(session.Cancellation))
            {
                answer.MergeFrom(part);
                session.Report.Lines(part.Findings.SelectMany(Lines));
            }
            session.Report.Answer(answer, () => [Summary(answer)]);
            return answer.Findings.Any(finding => finding.Verdict is Verdict.Missing or Verdict.Unknown) ? ExitCode.Failure : ExitCode.Ok;
        });

    private static IEnumerable<string> Lines(AwsAccountFinding finding)
    {
        var word = finding.Verdict switch { Verdict.Ok => "[OK]", Verdict.Advice => "[--]", Verdict.Missing => "[NG]", _ => "[??]" };
        yield return Terminal.Clean($"{word} {finding.Code}  {finding.Subject}: {finding.Text}");
        if (finding.Remedy.Length > 0)
        {
            yield return Terminal.Clean($"     {finding.Remedy}");
        }
    }

    private static string Summary(ExamineAwsAccountResponse answer)
    {
        long missing = Count(Verdict.Missing), unknown = answer.Findings.Count - missing - Count(Verdict.Ok) - Count(Verdict.Advice);
        return missing + unknown == 0 ? $"nothing is missing: {Say.Plural(answer.Findings.Count, "thing")} looked at"
            : $"{Say.Count(missing)} missing, {Say.Count(unknown)} not to be seen, of {Say.Plural(answer.Findings.Count, "thing")} looked at";

        long Count(Verdict verdict) => answer.Findings.Count(finding => finding.Verdict == verdict);
    }
}
