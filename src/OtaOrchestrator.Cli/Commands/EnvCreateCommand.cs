using System.CommandLine;
using System.Globalization;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class EnvCreateCommand
{
    public static Command Create(CliHost host)
    {
        var name = new Argument<string>("name") { Description = "For example production." };
        var title = new Option<string?>("--title") { Description = "For people.", HelpName = "TEXT" };
        var firstStep = new Option<string?>("--first-step-max") { Description = "The largest first step that a plan may take.", HelpName = "SHARE" };
        var jump = new Option<string?>("--jump-max") { Description = "The largest step from one exposure to the next.", HelpName = "SHARE" };
        return new Command("create", "Make an environment.") { name, title, firstStep, jump }.Does(host, async session =>
        {
            var request = new CreateEnvironmentRequest
            {
                EnvironmentId = session.Required(name),
                Environment = new Protocol.V1.Environment { Title = session.Get(title) ?? "" },
                RequestId = Arguments.NewRequestId(),
            };
            if (session.Get(firstStep) is not null || session.Get(jump) is not null)
            {
                request.Environment.Caps = new ExposureCaps();
            }
            if (session.Get(firstStep) is { } first)
            {
                request.Environment.Caps.FirstStepMax = Share(first);
            }
            if (session.Get(jump) is { } largest)
            {
                request.Environment.Caps.JumpMax = Share(largest);
            }
            var answer = await session.Api.Call((api, options) => api.Environments.CreateEnvironmentAsync(request, options), session.Cancellation);
            session.Report.Answer(answer, () => [$"environment {ResourceName.Last(answer.Name)}"]);
            return ExitCode.Ok;
        });
    }

    /// <summary><c>5%</c> or <c>0.05</c>; a bare <c>5</c> could mean both and is refused.</summary>
    private static double Share(string text)
    {
        var percent = text.EndsWith('%');
        if (double.TryParse(percent ? text[..^1] : text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
        {
            var share = percent ? number / 100 : number;
            if (share is >= 0 and <= 1)
            {
                return share;
            }
        }
        throw new CliFailure(ExitCode.Usage, $"`{text}` is not a share", "write 5% or 0.05");
    }
}
