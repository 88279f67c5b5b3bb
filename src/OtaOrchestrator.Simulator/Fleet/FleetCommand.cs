using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using OtaOrchestrator.Agent;
using OtaOrchestrator.Agent.Enrolment;

namespace OtaOrchestrator.Simulator.Fleet;

/// <summary><c>ota-sim fleet</c>: enrols and runs simulated devices until SIGTERM or Ctrl+C.</summary>
internal static class FleetCommand
{
    public static Command Create()
    {
        var devices = new Option<int>("--devices") { Description = "How many devices", DefaultValueFactory = _ => 200 };
        devices.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > FleetOptions.DevicesMax)
            {
                result.AddError($"--devices: from 1 to {FleetOptions.DevicesMax}");
            }
        });
        var fleet = new Option<string>("--fleet") { Description = "Name of their fleet", Required = true };
        var hardware = new Option<string>("--hardware") { Description = "Their hardware id", DefaultValueFactory = _ => "thermo-a1" };
        var state = new Option<string>("--state") { Description = "Directory of what they remember; kept from run to run", Required = true };
        var mqtt = new Option<DnsEndPoint>("--mqtt") { Description = "host:port of the device plane", Required = true, CustomParser = Endpoint };
        var ca = new Option<FileInfo>("--ca") { Description = "PEM: who signed the server's certificate", Required = true }.AcceptExistingOnly();
        var claim = new Option<FileInfo>("--claim-cert") { Description = "PEM: the claim certificate", Required = true }.AcceptExistingOnly();
        var claimKey = new Option<FileInfo>("--claim-key") { Description = "PEM: its key", Required = true }.AcceptExistingOnly();
        var releaseKey = new Option<FileInfo>("--release-key") { Description = "PEM: the public key that releases are signed with", Required = true }.AcceptExistingOnly();
        var image = new Option<FileInfo>("--initial-image") { Description = "The image that new devices come with", Required = true }.AcceptExistingOnly();
        var checkIn = Duration("--check-in", "How often a device says that it is there", TimeSpan.FromSeconds(2));
        var confirm = Duration("--confirm-timeout", "An image that isn't confirmed this long after its boot is given up", TimeSpan.FromSeconds(30));
        var boot = Duration("--boot-time", "How long a boot takes", TimeSpan.FromMilliseconds(300));
        var offline = new Option<double>("--offline-share") { Description = "This share of the devices, 0 to 1, is enrolled and then switched off" };
        offline.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double>() is not (>= 0 and <= 1))
            {
                result.AddError("--offline-share: from 0 to 1");
            }
        });
        var seed = new Option<int>("--seed") { Description = "Decides which ones" };
        var json = new Option<bool>("--json") { Description = "One JSON document per line" };
        var command = new Command("fleet", "Runs simulated devices: the real agent over real connections; only flash and boot are simulated.")
        {
            devices, fleet, hardware, state, mqtt, ca, claim, claimKey, releaseKey, image, checkIn, confirm, boot, offline, seed, json,
        };
        command.SetAction((parsed, cancellation) => RunAsync(
            new FleetOptions(
                parsed.GetValue(devices), parsed.GetRequiredValue(fleet), parsed.GetRequiredValue(hardware), parsed.GetRequiredValue(state), parsed.GetRequiredValue(mqtt),
                parsed.GetRequiredValue(ca).FullName, parsed.GetRequiredValue(claim).FullName, parsed.GetRequiredValue(claimKey).FullName, parsed.GetRequiredValue(releaseKey).FullName,
                parsed.GetRequiredValue(image).FullName, parsed.GetValue(checkIn), parsed.GetValue(confirm), parsed.GetValue(boot), parsed.GetValue(offline), parsed.GetValue(seed)),
            parsed.GetValue(json), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(FleetOptions options, bool json, CancellationToken cancellation)
    {
        var output = Console.Out;
        void Line(FleetLine line)
        {
            lock (output)
            {
                output.WriteLine(json ? JsonSerializer.Serialize(line, FleetJson.Default.FleetLine) : $"{line.Thing} {line.Event} {line.Text}".Trim());
                output.Flush();
            }
        }
        var fleet = new SimulatedFleet(options, TimeProvider.System, e => Tell(e, Line));
        var running = fleet.RunAsync(cancellation);
        try
        {
            if (await Task.WhenAny(fleet.Ready, running) != running)
            {
                Line(new FleetLine("ready", null, null, fleet.Running));
            }
            await running;
            return 1;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            Line(new FleetLine("stopped", null, null, fleet.Running));
            return 0;
        }
        catch (Exception error) when (error is InvalidDataException or EnrolmentException or IOException or System.Security.Cryptography.CryptographicException)
        {
            await Console.Error.WriteLineAsync($"error: {error.Message}");
            return 1;
        }
    }

    /// <summary>Connections come and go by the hundred; what is told is what changes a device.</summary>
    private static void Tell(AgentEvent e, Action<FleetLine> line)
    {
        if (e.Event is "enrolled" or "booted" or "resolved" or "health" or "dead")
        {
            line(new FleetLine(e.Event, e.Thing, e.Text, null));
        }
    }

    private static Option<TimeSpan> Duration(string name, string description, TimeSpan fallback) => new(name)
    {
        Description = description + " (500ms, 2s, 5m)",
        DefaultValueFactory = _ => fallback,
        CustomParser = result =>
        {
            string text = result.Tokens.Single().Value;
            var (unit, milliseconds) = text.EndsWith("ms", StringComparison.Ordinal) ? (2, 1) : text.EndsWith('s') ? (1, 1000) : text.EndsWith('m') ? (1, 60_000) : (0, 0);
            if (unit > 0 && double.TryParse(text[..^unit], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) && number * milliseconds is >= 1 and <= 86_400_000)
            {
                return TimeSpan.FromMilliseconds(number * milliseconds);
            }
            result.AddError($"{name}: a duration such as 500ms, 2s or 5m, at most 24 hours");
            return default;
        },
    };

    private static DnsEndPoint? Endpoint(System.CommandLine.Parsing.ArgumentResult result)
    {
        string text = result.Tokens.Single().Value;
        int colon = text.LastIndexOf(':');
        if (colon > 0 && ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) && port > 0)
        {
            return new DnsEndPoint(text[..colon].Trim('[', ']'), port);
        }
        result.AddError("--mqtt: host:port");
        return null;
    }
}

/// <summary>A line of output.</summary>
internal sealed record FleetLine(string Event, string? Thing, string? Text, int? Devices);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(FleetLine))]
internal sealed partial class FleetJson : JsonSerializerContext;
