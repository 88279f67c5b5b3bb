using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Serialization;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Cli.Programs;

namespace OtaOrchestrator.Cli.Commands;

/// <summary>Runs the server in the foreground, on the embedded default.</summary>
internal static class ServeCommand
{
    private static readonly TimeSpan ReadyMax = TimeSpan.FromSeconds(60);

    public static Command Create(CliHost host)
    {
        var listen = Text("--listen", "gRPC and HTTP/JSON; 127.0.0.1:8443 when left out.");
        var mqtt = Text("--mqtt", "Devices; 127.0.0.1:8883 when left out.");
        var firmware = Text("--firmware", "Firmware downloads; 127.0.0.1:8444 when left out.");
        var control = Text("--control-plane", "AWS-IoT-compatible control plane (SigV4); closed when left out.");
        return new Command("serve", "Run the server here until Ctrl-C. The first start makes its authorities and the first operator.") { listen, mqtt, firmware, control }.Does(host, async session =>
        {
            var start = new ProcessStartInfo(ProgramFiles.OfProcess(host).Find(ProgramFiles.Server)) { UseShellExecute = false, RedirectStandardOutput = session.Report.Json };
            Add(start, "--home", session.Home.Path);
            Add(start, "--listen", session.Get(listen));
            Add(start, "--mqtt", session.Get(mqtt));
            Add(start, "--firmware", session.Get(firmware));
            Add(start, "--control-plane", session.Get(control));
            foreach (var (variable, value) in ProgramFiles.RuntimeVariables())
            {
                start.Environment[variable] = value;
            }
            using var process = Process.Start(start) ?? throw new CliFailure(ExitCode.Failure, "the server could not be started");
            using var guard = Guard.Start();
            guard.Watch(process.Id);
            var log = session.Report.Json ? PassOn(process, host.Error) : Task.CompletedTask;
            try
            {
                if (await Ready(session, process) is { } endpoint)
                {
                    var document = new ServeDocument(endpoint.Grpc, endpoint.Mqtt, endpoint.Firmware, endpoint.ControlPlane, session.Home.Path);
                    session.Report.Answer(document, ServeJson.Default.ServeDocument, () => [$"READY  {endpoint.Grpc}  devices {endpoint.Mqtt}  home {session.Home.Path}"]);
                }
                await process.WaitForExitAsync(session.Cancellation);
            }
            catch (OperationCanceledException)
            {
                Signal.SendTerminate(process.Id);
                await process.WaitForExitAsync(CancellationToken.None);
            }
            await log;
            return process.ExitCode == 0 ? ExitCode.Ok : ExitCode.Failure;
        });
    }

    /// <summary>The endpoint once it answers SERVING; null when the server ended before.</summary>
    private static async Task<ServerEndpoint?> Ready(Session session, Process process)
    {
        var time = session.Host.Time;
        var start = time.GetTimestamp();
        while (!process.HasExited && time.GetElapsedTime(start) < ReadyMax)
        {
            if (ServerEndpoint.Read(session.Home) is { } endpoint && endpoint.Pid == process.Id && await session.Api.IsServing(session.Cancellation))
            {
                return endpoint;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(50), time, session.Cancellation);
        }
        if (!process.HasExited)
        {
            session.Report.Note("the server runs but is not ready after a minute; it goes on trying");
        }
        return null;
    }

    private static async Task PassOn(Process process, TextWriter to)
    {
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            await to.WriteLineAsync(line);
        }
    }

    private static void Add(ProcessStartInfo start, string option, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            start.ArgumentList.Add(option);
            start.ArgumentList.Add(value);
        }
    }

    private static Option<string?> Text(string name, string description) => new(name) { Description = description, HelpName = "HOST:PORT" };
}

internal sealed record ServeDocument(string Grpc, string Mqtt, string Firmware, string? ControlPlane, string Home);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(ServeDocument))]
internal sealed partial class ServeJson : JsonSerializerContext;
