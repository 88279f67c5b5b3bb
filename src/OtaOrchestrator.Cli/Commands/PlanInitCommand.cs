using System.CommandLine;
using OtaOrchestrator.Core.Plans;

namespace OtaOrchestrator.Cli.Commands;

internal static class PlanInitCommand
{
    private const string Small =
        """
        # Everything that is left out comes from the environment: ota plan explain shows it.
        apiVersion: ota/v1
        kind: Plan
        name: my-rollout
        lanes:
        - { target: thermostats, release: thermostat-fw@2.4.0 }
        """;

    private const string Full =
        """
        apiVersion: ota/v1
        kind: Plan
        name: thermostat-autumn
        lanes:
        - name: api
          target: thermostat-api          # logical: the environment says what it is there
          release: thermostat-api@5.1.0   # pinned to a digest when the rollout is created
          steps:
          - { share: 0% }
          - { share: 5%, bakeMin: 30m, requestsMin: 2000 }
          - { share: 25%, bakeMin: 30m, requestsMin: 2000 }
          - { share: 100% }
          guardAfter: 24h
          checks:
          - { name: errors, source: router, errorsMax: 1%, samplesMin: 200 }
        - name: firmware
          target: thermostats
          release: thermostat-fw@2.4.0
          fallback: thermostat-fw@2.3.1   # the target's current release when left out
          needs: [thermostat-api >= 5]    # the only source of the undo order
          steps:                          # cumulative
          - { group: lab, bakeMin: 2h, confirmedMin: 20 }
          - { share: 10%, bakeMin: 12h, approval: managers-2 }
          - { share: 100% }
          checks:
          - { name: install, source: devices, failuresMax: 2%, silentAfter: 30m }
        judge: { falseAbortMax: 1%, noData: hold, unhealthy: rollback }
        rollback: { untilAfter: 72h }
        """;

    public static Command Create(CliHost host)
    {
        var full = new Option<bool>("--full") { Description = "A plan for a back end and its devices, with everything that is commonly set." };
        var output = new Option<FileInfo?>("--out", "-o") { Description = "Write to a new file instead of standard output.", HelpName = "FILE" };
        return new Command("init", "Print a plan to start from.") { full, output }.Does(host, async session =>
        {
            var text = (session.Get(full) ? Full : Small) + "\n";
            if (session.Get(output) is not { } file)
            {
                if (session.Report.Json)
                {
                    // JSON is a plan file as well, and read by the same reader.
                    session.Report.Answer(RolloutStartCommand.ToProto(PlanSource.Valid(PlanText.Parse(text))), () => []);
                    return ExitCode.Ok;
                }
                await host.Out.WriteAsync(text);
                return ExitCode.Ok;
            }
            if (file.Exists)
            {
                throw new CliFailure(ExitCode.Failure, $"{file.FullName} exists already");
            }
            await File.WriteAllTextAsync(file.FullName, text, session.Cancellation);
            session.Report.Note($"written: {file.FullName}; next: ota plan lint {file.Name}");
            return ExitCode.Ok;
        });
    }
}
