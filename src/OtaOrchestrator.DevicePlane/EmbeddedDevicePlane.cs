using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using Amazon.Runtime;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OtaOrchestrator.DevicePlane.ControlPlane;
using OtaOrchestrator.DevicePlane.Firmware;
using OtaOrchestrator.DevicePlane.Jobs;
using OtaOrchestrator.DevicePlane.Mqtt;
using OtaOrchestrator.DevicePlane.Registry;
using OtaOrchestrator.DevicePlane.Shadows;
using OtaOrchestrator.DevicePlane.Storage;

namespace OtaOrchestrator.DevicePlane;

/// <summary>A claim certificate and its private key, both PEM.</summary>
public sealed record ClaimCredential(string CertificatePem, string PrivateKeyPem);

/// <summary>
/// An AWS-IoT-compatible device plane in this process. Devices come over MQTT and HTTPS with mutual TLS; the control plane is reached by
/// an AWS IoT client that uses <see cref="ControlPlaneClientFactory"/> and <see cref="ControlPlaneUri"/>, without an open port.
/// </summary>
public sealed partial class EmbeddedDevicePlane : IHostedService, IAsyncDisposable
{
    private static readonly TimeSpan TickPeriod = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DeadlineRefresh = TimeSpan.FromMinutes(1);

    private readonly DevicePlaneOptions _options;
    private readonly ILoggerFactory _logging;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly InMemoryTransport _transport = new();
    private readonly ControlPlaneClientFactory _clients;
    private readonly CancellationTokenSource _stopping = new();
    private Running? _running;
    private readonly List<WebApplication> _hosts = [];
    private Task _ticking = Task.CompletedTask;
    private IPEndPoint? _mqtt;
    private IPEndPoint? _firmware;
    private IPEndPoint? _controlPlane;

    public EmbeddedDevicePlane(IOptions<DevicePlaneOptions> options, TimeProvider time, ILoggerFactory logging)
    {
        (_options, _time, _logging) = (options.Value, time, logging);
        _logger = logging.CreateLogger<EmbeddedDevicePlane>();
        _clients = new ControlPlaneClientFactory(_transport);
    }

    /// <summary>Where devices connect with MQTT, once started.</summary>
    public IPEndPoint MqttEndpoint => _mqtt ?? throw NotStarted();

    /// <summary>Where devices fetch firmware, once started.</summary>
    public IPEndPoint FirmwareEndpoint => _firmware ?? throw NotStarted();

    /// <summary>The open control plane, once started; null when it is closed.</summary>
    public IPEndPoint? ControlPlaneEndpoint => _controlPlane;

    /// <summary>For <c>ClientConfig.HttpClientFactory</c> of an AWS IoT client, together with <see cref="ControlPlaneUri"/> as ServiceURL. Any credentials do.</summary>
    public HttpClientFactory ControlPlaneClientFactory => _clients;

    /// <summary>The ServiceURL that goes with <see cref="ControlPlaneClientFactory"/>.</summary>
    public Uri ControlPlaneUri { get; } = new("http://device-plane.internal");

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_running is not null)
        {
            throw new InvalidOperationException("the device plane has been started already");
        }

        if (_options.ServerCertificate is not { HasPrivateKey: true } || _options.DevicesAuthority is not { HasPrivateKey: true })
        {
            throw new InvalidOperationException("the device plane needs ServerCertificate and DevicesAuthority, each with its private key");
        }

        Directory.CreateDirectory(_options.DataDirectory);
        Directory.CreateDirectory(_options.FirmwareRoot);
        var running = new Running(_options, new SteadyClock(_time), _logging, Authority, EndpointAddress);
        _running = running;
        running.Writer.Start();
        running.Sending = running.Sessions.RunAsync();
        try
        {
            // Links name the firmware port, so it is known before the first device can ask for one.
            var firmware = await HostAsync(PlaneHosts.Firmware(_options, _logging, running.Firmware), cancellationToken).ConfigureAwait(false);
            _firmware = PlaneHosts.Bound(firmware);
            var controlPlane = await HostAsync(PlaneHosts.ControlPlane(_options, _logging, _transport, running.Router), cancellationToken).ConfigureAwait(false);
            _controlPlane = _options.ControlPlaneEndpoint is null ? null : PlaneHosts.Bound(controlPlane);
            var mqtt = await HostAsync(PlaneHosts.Mqtt(_options, _logging, running.Front), cancellationToken).ConfigureAwait(false);
            _mqtt = PlaneHosts.Bound(mqtt);
        }
        catch
        {
            // A port that is taken must not leave the store locked.
            await StopAsync(CancellationToken.None).ConfigureAwait(false);
            throw;
        }

        _ticking = TickAsync(running);
        LogStarted(_mqtt, _firmware, running.State.Things.Count);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_running is not { } running)
        {
            return;
        }

        _running = null;
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _ticking.ConfigureAwait(false);
        await running.Front.StopAsync().ConfigureAwait(false);
        _hosts.Reverse();
        foreach (var host in _hosts)
        {
            await host.StopAsync(cancellationToken).ConfigureAwait(false);
            await host.DisposeAsync().ConfigureAwait(false);
        }

        await running.StopAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None).ConfigureAwait(false);
        _clients.Dispose();
        _stopping.Dispose();
    }

    /// <summary>Makes the fleet's group and its 100 cohorts <c>{name}-c00</c> to <c>{name}-c99</c>; what is there stays.</summary>
    /// <exception cref="ArgumentException">The name doesn't match <c>[a-zA-Z0-9:_-]{1,64}</c>.</exception>
    /// <exception cref="IOException">The store can't be written.</exception>
    public Task EnsureFleetAsync(string name, CancellationToken cancellationToken = default) =>
        RunAsync(r => r.Writer.RunAsync(tx => RegistryOperations.EnsureFleet(r.State, tx, name), cancellationToken));

    /// <summary>Makes a certificate with which new devices of the fleet can enrol, and nothing else.</summary>
    /// <exception cref="ArgumentException">There is no such fleet.</exception>
    /// <exception cref="IOException">The store can't be written.</exception>
    public async Task<ClaimCredential> IssueClaimAsync(string fleet, CancellationToken cancellationToken = default)
    {
        var credential = default(ClaimCredential);
        await RunAsync(async r =>
        {
            var (certificate, key) = r.Issuer.Create(CertificateIssuer.ClaimPrefix + Names.Fleet(fleet), _options.ClaimCertificateLifetime);
            using (certificate)
            {
                await r.Writer.RunAsync(
                    tx =>
                    {
                        r.State.Group(fleet);
                        RegistryOperations.PutCertificate(r.State, tx, r.Provisioning.ToRecord(certificate, CertificateStatus.ACTIVE, fleet, null));
                    },
                    cancellationToken).ConfigureAwait(false);
                credential = new ClaimCredential(certificate.ExportCertificatePem(), key);
            }
        }).ConfigureAwait(false);
        return credential!;
    }

    /// <summary>Everything that is durable now, for a check that reads and compares.</summary>
    public Task<DevicePlaneSnapshot> SnapshotAsync(CancellationToken cancellationToken = default)
    {
        var running = _running ?? throw NotStarted();
        return running.Writer.RunAsync(_ => DevicePlaneSnapshot.Of(running.State), cancellationToken);
    }

    /// <summary>Makes the store as good as full after <paramref name="spare"/> more pages, for tests; negative lifts the limit.</summary>
    internal Task LimitStoreAsync(int spare) => RunAsync(r => r.Writer.RunAsync(_ => r.Store.LimitPages(spare)));

    private static InvalidOperationException NotStarted() => new("the device plane isn't running");

    private string Authority() => $"{(IPAddress.TryParse(_options.PublicHost, out var ip) && ip.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{ip}]" : _options.PublicHost)}:{FirmwareEndpoint.Port}";

    private string EndpointAddress(string? type) => type switch
    {
        null or "iot:Data" or "iot:Data-ATS" => $"{_options.PublicHost}:{MqttEndpoint.Port}",
        _ => throw RefusedException.Invalid($"this device plane has no endpoint of type '{type}'"),
    };

    private async Task<WebApplication> HostAsync(WebApplication host, CancellationToken cancellationToken)
    {
        try
        {
            await host.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await host.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        _hosts.Add(host);
        return host;
    }

    private async Task RunAsync(Func<Running, Task> operation)
    {
        try
        {
            await operation(_running ?? throw NotStarted()).ConfigureAwait(false);
        }
        catch (RefusedException e) when (e.Reason is Refusal.Unavailable or Refusal.Internal)
        {
            throw new IOException(e.Message, e);
        }
        catch (RefusedException e)
        {
            throw new ArgumentException(e.Message, e);
        }
    }

    /// <summary>Once a second: timeouts, the next part of a job, expired requests. Once a minute what is left of deadlines is stored.</summary>
    private async Task TickAsync(Running r)
    {
        using var timer = new PeriodicTimer(TickPeriod, _time);
        var refreshed = _time.GetTimestamp();
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token).ConfigureAwait(false))
            {
                var refresh = _time.GetElapsedTime(refreshed) >= DeadlineRefresh;
                if (refresh)
                {
                    refreshed = _time.GetTimestamp();
                }

                try
                {
                    await r.Writer.RunAsync(tx => r.Tick(tx, refresh), _stopping.Token).ConfigureAwait(false);
                }
                catch (RefusedException e)
                {
                    LogTickFailed(e.Message);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Device plane: MQTT on {Mqtt}, firmware on {Firmware}, {Things} things")]
    private partial void LogStarted(IPEndPoint mqtt, IPEndPoint firmware, int things);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Device plane timers wait: {Reason}")]
    private partial void LogTickFailed(string reason);

    /// <summary>The parts of a plane that runs, put together.</summary>
    private sealed class Running
    {
        private readonly Channel<OutboundMessage> _outbox = Channel.CreateBounded<OutboundMessage>(new BoundedChannelOptions(65_536) { SingleReader = true });
        private readonly DevicePlaneOptions _options;

        public Running(DevicePlaneOptions options, SteadyClock clock, ILoggerFactory logging, Func<string> authority, Func<string?, string> endpoint)
        {
            _options = options;
            Store = new PlaneStore(Path.Combine(options.DataDirectory, "device-plane.db"));
            try
            {
                State = PlaneRows.Load(Store, clock);
            }
            catch
            {
                Store.Dispose();
                throw;
            }

            Writer = new PlaneWriter(Store, clock, _outbox.Writer, logging.CreateLogger<PlaneWriter>());
            Issuer = new CertificateIssuer(options.DevicesAuthority!, clock);
            Provisioning = new Provisioning(State, Writer, Issuer, clock, options);
            var links = new FirmwareLinks(FirmwareLinks.LoadSecret(options.LinkSecretFile ?? Path.Combine(options.DataDirectory, "link-secret")), clock, authority);
            var jobs = new JobsPayload(clock, links);
            Sessions = new DeviceSessions(_outbox.Reader, jobs, logging.CreateLogger<DeviceSessions>());
            Front = new MqttFront(
                State, Writer, Sessions, new DeviceTopics(State, Writer, jobs, new ShadowPayload(clock), options), new ClaimTopics(Provisioning, Writer), clock, logging.CreateLogger<MqttFront>());
            Firmware = new FirmwareRoute(links, State.Active, Path.GetFullPath(options.FirmwareRoot));
            var arns = new Arn(options.Region, options.AccountId);
            var jobsApi = new JobsApi(State, arns, options);
            Router = new ControlPlaneRouter(
                Writer, new RegistryApi(State, arns), jobsApi, new OtaUpdatesApi(State, arns, jobsApi, options), new IndexApi(State.Index, arns), endpoint, new SignatureCheck(options, clock), logging.CreateLogger<ControlPlaneRouter>());
        }

        public PlaneStore Store { get; }

        public PlaneState State { get; }

        public PlaneWriter Writer { get; }

        public CertificateIssuer Issuer { get; }

        public Provisioning Provisioning { get; }

        public DeviceSessions Sessions { get; }

        public MqttFront Front { get; }

        public FirmwareRoute Firmware { get; }

        public ControlPlaneRouter Router { get; }

        public Task Sending { get; set; } = Task.CompletedTask;

        public void Tick(PlaneTransaction tx, bool refresh)
        {
            JobBook.TimeOut(State, tx);
            foreach (var job in State.Jobs.Values)
            {
                if (job.IsActive && !job.IsRolledOut && tx.Clock.SteadyMs >= job.NextBatchMs)
                {
                    JobBook.RollOut(State, tx, job, _options.DefaultJobRatePerMinute);
                }
            }

            Provisioning.Expire(tx);
            if (refresh)
            {
                foreach (var (job, thing) in State.Deadlines.UnorderedItems.Select(d => d.Element).Distinct())
                {
                    if (State.Jobs.TryGetValue(job, out var found) && found.Executions.TryGetValue(thing, out var execution) && execution.DeadlineMs is not null)
                    {
                        PlaneRows.Write(tx, execution);
                    }
                }
            }
        }

        public async Task StopAsync()
        {
            await Writer.StopAsync().ConfigureAwait(false);
            _outbox.Writer.TryComplete();
            await Sending.ConfigureAwait(false);
            Store.Dispose();
        }
    }
}
