using System.CommandLine;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Demo;
using OtaOrchestrator.Cli.Demo.Backend;
using OtaOrchestrator.Cli.Demo.Cloud;
using OtaOrchestrator.Cli.Output;

namespace OtaOrchestrator.Cli.Commands;

internal static class DemoCommand
{
    private const string Whole = "whole";
    private const string BackendOnly = "backend";
    private const string Cloud = "aws";
    private const int CloudDevices = 20;

    public static Command Create(CliHost host)
    {
        var scenario = new Option<string>("--scenario")
        {
            Description = $"{Whole}: back end and devices together, a crash, a bad rollout, two attacks. {BackendOnly}: Blue-Green, Canary, bad candidates, and the loss of orchestrator and router under 1,000 requests/s. {Cloud}: Lambda, CodeDeploy, CloudFront and API Gateway, each with devices of AWS IoT, on doubles of AWS (source tree only).",
            DefaultValueFactory = _ => Whole,
        };
        scenario.AcceptOnlyFromAmong(Whole, BackendOnly, Cloud);
        var devices = new Option<int>("--devices") { Description = $"How many devices ({Whole}: 200; {Cloud}: {CloudDevices}).", HelpName = "N", DefaultValueFactory = _ => 200 }.Within(10, 5000);
        var keep = new Option<bool>("--keep") { Description = $"Leave everything running afterwards and say what to try ({Whole} only)." };
        return new Command("demo", "The whole story on this machine: a rollout of back end and devices over a crash, a bad one that comes back by itself, and two attacks.") { scenario, devices, keep }.Does(host, async session =>
        {
            var keeps = session.Get(keep);
            if (session.Get(scenario) == Whole)
            {
                return await Run(session, session.Get(devices), keeps,
                    new Scenario<DemoReport>((stage, progress) => Play.Run(stage, progress, keeps, session.Cancellation), DemoJson.Default.DemoReport, Play.Summary, report => report.Findings));
            }
            var given = session.Parse.GetResult(devices) is { Implicit: false };
            if (session.Get(scenario) == Cloud && !keeps)
            {
                return await Run(session, given ? session.Get(devices) : CloudDevices, false,
                    new Scenario<CloudReport>((stage, progress) => CloudPlay.Run(stage, progress, session.Cancellation), DemoJson.Default.CloudReport, CloudPlay.Summary, report => report.Findings));
            }
            if (keeps || given)
            {
                throw new CliFailure(ExitCode.Usage, $"--devices and --keep mean nothing to --scenario {BackendOnly}, --keep nothing to {Cloud}");
            }
            return await Run(session, 0, false,
                new Scenario<BackendReport>((stage, progress) => BackendPlay.Run(stage, progress, session.Cancellation), DemoJson.Default.BackendReport, BackendPlay.Summary, report => report.Findings));
        });
    }

    private static async Task<int> Run<T>(Session session, int devices, bool keep, Scenario<T> scenario) where T : class
    {
        var host = session.Host;
        var given = session.Get(GlobalOptions.Home);
        var home = given is null ? new HomeDirectory(Directory.CreateTempSubdirectory("ota-demo-").FullName) : session.Home;
        if (ServerEndpoint.Read(home) is not null)
        {
            throw new CliFailure(ExitCode.WrongState, $"{home.Path} has a server already", "the demo wants a home of its own; leave --home out");
        }
        var done = false;
        try
        {
            await using var stage = new Stage(host, session.Report, home, devices);
            session.Report.Note($"home {home.Path}");
            T? report = null;
            if (session.Report.Live)
            {
                await session.Report.InPlace(async show => report = await scenario.Play(stage, new DemoProgress(session.Report, host.Time, show)));
            }
            else
            {
                report = await scenario.Play(stage, new DemoProgress(session.Report, host.Time, null));
            }
            if (keep)
            {
                stage.Keep();
                await WhatToTry.Say(stage, session.Cancellation);
            }
            session.Report.Answer(report!, scenario.Type, () => scenario.Summary(report!));
            done = scenario.Findings(report!).Count == 0;
            return done ? ExitCode.Ok : ExitCode.Failure;
        }
        finally
        {
            if (given is null && done && !keep)
            {
                Directory.Delete(home.Path, recursive: true);
            }
            else if (!done)
            {
                session.Report.Note($"what the programs said: {Path.Combine(home.Path, "demo")}/*.log");
            }
        }
    }
}
