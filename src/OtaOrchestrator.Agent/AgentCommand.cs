using System.CommandLine;
using System.Text.Json;
using OtaOrchestrator.Agent.Enrolment;
using OtaOrchestrator.Agent.Install;
using OtaOrchestrator.Agent.Jobs;
using OtaOrchestrator.Agent.Slots;
using OtaOrchestrator.Agent.Storage;
using OtaOrchestrator.Firmware.Images;

namespace OtaOrchestrator.Agent;

/// <summary><c>ota-agent enroll|run|status --config FILE</c>.</summary>
internal static class AgentCommand
{
    public static RootCommand Create()
    {
        var config = new Option<FileInfo>("--config") { Description = "JSON: where to connect, who this is, which commands install and boot", Required = true };
        config.AcceptExistingOnly();
        var enroll = new Command("enroll", "Makes a key and gets this device its certificate.") { config };
        enroll.SetAction((parsed, cancellation) => GuardAsync(parsed.GetRequiredValue(config), async (_, agent) =>
        {
            using var identity = await agent.EnrolAsync(cancellation);
            Console.WriteLine(identity.Subject);
        }, cancellation));
        var run = new Command("run", "Runs until it is ended: checks in, installs what its jobs say, confirms or reverts.") { config };
        run.SetAction((parsed, cancellation) => GuardAsync(parsed.GetRequiredValue(config), async (options, agent) =>
        {
            await ProvisionAsync(options, agent, cancellation);
            await agent.RunAsync(cancellation);
        }, cancellation));
        var json = new Option<bool>("--json") { Description = "One JSON document" };
        var status = new Command("status", "Says what this device runs and what became of its last job.") { config, json };
        status.SetAction((parsed, cancellation) => GuardAsync(parsed.GetRequiredValue(config), (_, agent) =>
        {
            Print(Status(agent), parsed.GetValue(json));
            return Task.CompletedTask;
        }, cancellation));
        return new RootCommand("The device agent: verifies, installs, confirms, reverts.") { enroll, run, status };
    }

    private static async Task<int> GuardAsync(FileInfo file, Func<AgentConfig, DeviceAgent, Task> act, CancellationToken cancellation)
    {
        try
        {
            var (config, options) = AgentConfig.Load(file.FullName);
            var device = new CommandDevice(config.Commands, TimeSpan.FromSeconds(config.CommandTimeoutSeconds), TimeProvider.System);
            var agent = new DeviceAgent(options, device, new Disk(), TimeProvider.System, e => Console.Error.WriteLine(JsonSerializer.Serialize(e, ConfigJson.Default.AgentEvent)));
            await act(config, agent);
            return 0;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception error) when (error is InvalidDataException or EnrolmentException or InstallException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"error: {error.Message}");
            return 1;
        }
    }

    private static async Task ProvisionAsync(AgentConfig config, DeviceAgent agent, CancellationToken cancellation)
    {
        if (agent.Store.Current is not { SlotA: null, SlotB: null })
        {
            return;
        }
        if (config.InitialImage is not { } file)
        {
            throw new InvalidDataException("the device has no record of what it runs: initialImage must name the image that it was made with");
        }
        await using var stream = File.OpenRead(file);
        var reading = await FirmwareImage.ReadAsync(stream, cancellation);
        if (reading is not { Problem: ImageProblem.None, Header: { } header })
        {
            throw new InvalidDataException($"{file} {reading.Text}");
        }
        agent.Slots.Provision(file, new SlotContent(Convert.ToHexStringLower(reading.FileSha256), $"{header.Name}@{header.Version}", header.Version, header.SecurityCounter, reading.FileBytes));
    }

    private static AgentStatus Status(DeviceAgent agent)
    {
        var record = agent.Store.Current;
        var slot = record.Trial ?? record.Active;
        return new AgentStatus(
            agent.Thing, agent.IsEnrolled, record[slot]?.Release, record[slot]?.Digest, record[SlotFiles.Other(slot)]?.Release, slot.ToString(), record.Trial is not null,
            record.SecurityCounter, record.Sequence, record.Job?.Id, record.Job is { } job ? ShadowReport.Name(job.Outcome) : null, record.Job?.Reason);
    }

    private static void Print(AgentStatus status, bool json) => Console.WriteLine(json
        ? JsonSerializer.Serialize(status, ConfigJson.Default.AgentStatus)
        : $"{status.Thing} {(status.Enrolled ? "is enrolled" : "is not enrolled")}\nruns {status.Release ?? "nothing"} in slot {status.Slot}{(status.OnTrial ? ", on trial" : "")}\n"
            + $"last job: {(status.Job is null ? "none" : $"{status.Job} {status.Outcome} {status.Reason}".TrimEnd())}");
}
