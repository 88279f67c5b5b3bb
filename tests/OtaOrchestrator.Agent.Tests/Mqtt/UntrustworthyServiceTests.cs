using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using OtaOrchestrator.Agent.Install;
using OtaOrchestrator.Agent.Slots;
using OtaOrchestrator.Agent.Storage;
using OtaOrchestrator.Firmware.Signing;
using OtaOrchestrator.Simulator.Fleet;

namespace OtaOrchestrator.Agent.Tests.Mqtt;

public sealed class UntrustworthyServiceTests : IDisposable
{
    private const string Jobs = "$aws/things/thermostats-0001/jobs/";
    private readonly string _folder = Directory.CreateTempSubdirectory("agent-").FullName;
    private readonly ConcurrentQueue<AgentEvent> _events = new();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_refused_check_in_does_not_leave_the_device_connected_and_silent()
    {
        await using var service = await UntrustworthyService.StartAsync();
        int refused = 0;
        service.Refuses = (_, body) => IsCheckIn(body) && Interlocked.Increment(ref refused) == 1;

        await RunAsync(Options(service), async () =>
        {
            await Wait.UntilAsync(() => service.Heard.Count(message => IsCheckIn(JsonNode.Parse(message.Payload)!)) >= 2, () => $"{refused} refused, connections: {service.Connections}");
            Assert.Equal(2, service.Connections);
        });
    }

    [Fact]
    public async Task Repeated_disordered_and_foreign_messages_do_no_harm()
    {
        await using var service = await UntrustworthyService.StartAsync();
        int starts = 0;
        service.Answer = (topic, body) =>
        {
            if (topic != Jobs + "start-next")
            {
                var reply = UntrustworthyService.Accepted(topic, body);
                // Each answer three times, after somebody else's.
                return [reply with { Payload = """{"clientToken":"not-yours","timestamp":1}""" }, reply, reply, reply];
            }
            var answer = Interlocked.Increment(ref starts) switch
            {
                1 => Execution("job-1", "thermostats-0002"),
                2 => Execution("../#", "thermostats-0001"),
                3 => new JsonObject { ["execution"] = "none" },
                4 => Execution("job-4", "thermostats-0001"),
                _ => null,
            };
            return [UntrustworthyService.Accepted(topic, body, answer)];
        };

        await RunAsync(Options(service), async () =>
        {
            await Wait.UntilAsync(() => starts >= 1, () => "no start-next");
            await service.SayAsync(new Message(Jobs + "notify", "not json"));
            await service.SayAsync(new Message(Jobs + "notify", "[]"));
            await service.SayAsync(new Message(Jobs + "notify", "{\"jobs\":" + new string('[', 2000) + new string(']', 2000) + "}"));
            await service.SayAsync(new Message(Jobs + "update/accepted", "{}"));
            for (int asked = 1; asked < 5; asked++)
            {
                await Wait.UntilAsync(() => starts >= asked, () => $"{starts} of {asked}");
                await service.SayAsync(new Message(Jobs + "notify-next", """{"timestamp":1}"""));
                await service.SayAsync(new Message(Jobs + "notify-next", """{"timestamp":1}"""));
            }
            await Wait.UntilAsync(() => _events.Any(e => e.Event == "resolved"), () => string.Join('\n', _events));
        });

        var updates = service.Heard.Where(message => message.Topic.StartsWith(Jobs, StringComparison.Ordinal) && message.Topic.EndsWith("/update", StringComparison.Ordinal)).ToList();
        Assert.All(updates, update => Assert.Equal(Jobs + "job-4/update", update.Topic));
        var terminal = Assert.Single(updates, update => (string?)JsonNode.Parse(update.Payload)!["status"] != "IN_PROGRESS");
        Assert.Equal("REJECTED", (string?)JsonNode.Parse(terminal.Payload)!["status"]);
        Assert.Equal("MALFORMED", (string?)JsonNode.Parse(terminal.Payload)!["statusDetails"]!["reason"]);
        Assert.Equal(1, service.Connections);
    }

    [Theory]
    [InlineData("another.example")]
    [InlineData("localhost")]
    public async Task A_server_that_cannot_show_who_it_is_is_told_nothing(string certificateFor)
    {
        await using var service = await UntrustworthyService.StartAsync(certificateFor);
        using var stranger = Certificates.Server();
        // Either the name is wrong, or the name is right and the authority is not.
        var options = Options(service) with { ServerAuthorities = [certificateFor == "localhost" ? stranger : service.Certificate] };

        await RunAsync(options, () => Wait.UntilAsync(() => _events.Count(e => e.Event == "disconnected") >= 2, () => string.Join('\n', _events)));

        Assert.Equal(0, service.Connections);
        Assert.Empty(service.Heard);
    }

    [Fact]
    public async Task The_confirm_timer_reverts_in_the_middle_of_a_handshake_that_never_ends()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var certificate = Certificates.Server();
        var options = Options(new DnsEndPoint("localhost", ((IPEndPoint)silent.LocalEndpoint).Port), certificate) with
        {
            ConfirmTimeout = TimeSpan.FromMilliseconds(500), ReplyTimeout = TimeSpan.FromSeconds(60),
        };

        await RunAsync(options, () => Wait.UntilAsync(() => _events.Count(e => e.Event == "booted") >= 2, () => string.Join('\n', _events)), PutOnTrial);

        var record = new DeviceStore(new Disk(), options.StateDirectory).Current;
        Assert.Equal((SlotName.A, null, OtaOrchestrator.Agent.Jobs.JobOutcome.Reverted, "NO_NETWORK"), (record.Active, record.Trial, record.Job!.Outcome, record.Job.Reason));
    }

    [Fact]
    public async Task What_a_boot_loader_went_back_from_is_not_confirmed()
    {
        await using var service = await UntrustworthyService.StartAsync();
        var options = Options(service);

        await RunAsync(options, () => Wait.UntilAsync(() => _events.Any(e => e.Event == "resolved"), () => string.Join('\n', _events)), PutOnTrial, new StubbornDevice());

        var record = new DeviceStore(new Disk(), options.StateDirectory).Current;
        Assert.Equal((SlotName.A, null, OtaOrchestrator.Agent.Jobs.JobOutcome.Reverted, "CRASH_LOOP"), (record.Active, record.Trial, record.Job!.Outcome, record.Job.Reason));
    }

    private static bool IsCheckIn(JsonNode body) => body["state"]?["reported"] is JsonObject reported && reported.ContainsKey("checkIn") && !reported.ContainsKey("bootId") && !reported.ContainsKey("job");

    private static JsonObject Execution(string id, string thing) => new()
    {
        ["execution"] = new JsonObject { ["jobId"] = id, ["thingName"] = thing, ["status"] = "IN_PROGRESS", ["executionNumber"] = 1, ["jobDocument"] = new JsonObject { ["nothing"] = "of ours" } },
    };

    /// <summary>As after an installation: the other slot boots next, for a job that is under way.</summary>
    private static void PutOnTrial(DeviceAgent agent)
    {
        var successor = Path.Combine(Path.GetDirectoryName(agent.Slots.PathOf(SlotName.A))!, "successor.part");
        File.Copy(FleetBench.Sample("2.4.0"), successor);
        agent.Store.Save(agent.Store.Current with { Job = new OtaOrchestrator.Agent.Jobs.JobRecord("job-1", 1, "thermostat-fw@2.4.0", null, 1) });
        agent.Slots.Fill(successor, Images.Content(FleetBench.Sample("2.4.0")));
        agent.Slots.StartTrial();
    }

    private AgentOptions Options(UntrustworthyService service) => Options(service.Endpoint, service.Certificate);

    private AgentOptions Options(DnsEndPoint endpoint, X509Certificate2 authority)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var own = new CertificateRequest("CN=thermostats-0001", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(30), DateTimeOffset.UnixEpoch.AddYears(90));
        File.WriteAllText(Path.Combine(_folder, "device.crt"), own.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_folder, "device.key"), key.ExportPkcs8PrivateKeyPem());
        return new AgentOptions
        {
            Endpoint = endpoint, ServerAuthorities = [authority], Fleet = "thermostats", Serial = "0001", HardwareId = "thermo-a1", StateDirectory = _folder,
            ReleaseKey = SigningKey.Create().Public, CheckIn = TimeSpan.FromMilliseconds(100), ReplyTimeout = TimeSpan.FromSeconds(10),
            BackoffFirst = TimeSpan.FromMilliseconds(20), BackoffMax = TimeSpan.FromMilliseconds(200),
        };
    }

    private async Task RunAsync(AgentOptions options, Func<Task> meanwhile, Action<DeviceAgent>? before = null, IDevice? device = null)
    {
        var agent = new DeviceAgent(options, device ?? new SimulatedDevice(TimeSpan.FromMilliseconds(10), TimeProvider.System), new Disk(), TimeProvider.System, _events.Enqueue);
        agent.Slots.Provision(FleetBench.Sample("2.3.1"), Images.Content(FleetBench.Sample("2.3.1")));
        before?.Invoke(agent);
        using var power = new CancellationTokenSource();
        var running = Task.Run(() => agent.RunAsync(power.Token));
        var watching = meanwhile();
        if (await Task.WhenAny(running, watching) == running)
        {
            await running;
        }
        await watching;
        await power.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    /// <summary>Boots the slot it knows, whatever the record says.</summary>
    private sealed class StubbornDevice : IDevice
    {
        public Task<Boot> BootAsync(SlotFiles slots, CancellationToken cancellation) => Task.FromResult(new Boot(SlotName.A, "boot-1"));

        public Task InstallAsync(SlotName slot, string imageFile, CancellationToken cancellation) => throw new NotSupportedException();

        public Task<string?> SelfTestAsync(CancellationToken cancellation) => Task.FromResult<string?>(null);

        public Task NetworkAsync(CancellationToken cancellation) => Task.CompletedTask;

        public Task<Agent.Health.HealthReport> HealthAsync(CancellationToken cancellation) => Task.FromResult(new Agent.Health.HealthReport(Agent.Health.HealthState.Healthy));

        public Task ConfirmAsync(SlotName slot, CancellationToken cancellation) => throw new NotSupportedException("nothing is to be confirmed");

        public Task RebootAsync(CancellationToken cancellation) => throw new NotSupportedException("there is no reason to boot");
    }
}
