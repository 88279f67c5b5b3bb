using System.CommandLine;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Demo;
using OtaOrchestrator.Cli.Output;

namespace OtaOrchestrator.Cli.Commands;

internal static class DemoCommand
{
    public static Command Create(CliHost host)
    {
        var devices = new Option<int>("--devices") { Description = "How many devices.", HelpName = "N", DefaultValueFactory = _ => 200 }.Within(10, 5000);
        var keep = new Option<bool>("--keep") { Description = "Leave everything running afterwards and say what to try." };
        return new Command("demo", "The whole story on this machine: a rollout of back end and devices over a crash, a bad one that comes back by itself, and two attacks.") { devices, keep }.Does(host, async session =>
        {
            var given = session.Get(GlobalOptions.Home);
            var home = given is null ? new HomeDirectory(Directory.CreateTempSubdirectory("ota-demo-").FullName) : session.Home;
            if (ServerEndpoint.Read(home) is not null)
            {
                throw new CliFailure(ExitCode.WrongState, $"{home.Path} has a server already", "the demo wants a home of its own; leave --home out");
            }
            var done = false;
            try
            {
                await using var stage = new Stage(host, session.Report, home, session.Get(devices));
                session.Report.Note($"home {home.Path}");
                DemoReport? report = null;
                if (session.Report.Live)
                {
                    await session.Report.InPlace(async show => report = await Play.Run(stage, new DemoProgress(session.Report, host.Time, show), session.Get(keep), session.Cancellation));
                }
                else
                {
                    report = await Play.Run(stage, new DemoProgress(session.Report, host.Time, null), session.Get(keep), session.Cancellation);
                }
                if (session.Get(keep))
                {
                    stage.Keep();
                    await WhatToTry.Say(stage, session.Cancellation);
                }
                session.Report.Answer(report!, DemoJson.Default.DemoReport, () => Play.Summary(report!));
                done = report!.Findings.Count == 0;
                return done ? ExitCode.Ok : ExitCode.Failure;
            }
            finally
            {
                if (given is null && done && !session.Get(keep))
                {
                    Directory.Delete(home.Path, recursive: true);
                }
                else if (!done)
                {
                    session.Report.Note($"what the programs said: {Path.Combine(home.Path, "demo")}/*.log");
                }
            }
        });
    }
}
