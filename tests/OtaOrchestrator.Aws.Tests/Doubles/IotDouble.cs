using System.Net;
using System.Text;
using Amazon.IoT;
using Amazon.Runtime;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OtaOrchestrator.Aws.Clients;
using OtaOrchestrator.Aws.Tests.IoT;

namespace OtaOrchestrator.Aws.Tests.Doubles;

/// <summary>What befalls a call to AWS IoT.</summary>
internal enum IotFault
{
    /// <summary>Refused, and not acted upon.</summary>
    Throttle,

    /// <summary>Fails, and not acted upon.</summary>
    Error,

    /// <summary>Acted upon; then the connection is gone.</summary>
    Lose,

    /// <summary>Acted upon; then nobody answers.</summary>
    Silence,

    /// <summary>Answered as it was before the last write, if somebody asked the same then.</summary>
    Stale,
}

/// <summary>AWS IoT as it can be: a device plane behind a listener on loopback that throttles, fails, loses, is silent or out of date on request, and takes its time with OTA updates.</summary>
internal sealed class IotDouble : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly WebApplication _listener;
    private readonly HttpClient _plane;
    private readonly Uri _planeUri;
    private readonly Dictionary<string, Answer> _latest = new(StringComparer.Ordinal);
    private readonly List<(IotFault Kind, string Call, int Times)> _faults = [];
    private readonly List<string> _calls = [];
    private Dictionary<string, Answer> _before = new(StringComparer.Ordinal);

    private IotDouble(FleetFixture fleet)
    {
        (_plane, _planeUri) = (fleet.ControlPlane(), fleet.ControlPlaneUri);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _listener = builder.Build();
        _listener.Run(HandleAsync);
        Clients = new AwsClients(new AwsClientsOptions { CallsPerSecond = 1000, RetriesMax = 3, CallTimeout = TimeSpan.FromMilliseconds(500) }, TimeProvider.System, Tailor);
    }

    /// <summary>The product's own clients, with its budgets, its deadlines and the SDK's retries.</summary>
    public AwsClients Clients { get; }

    public IAmazonIoT Iot => Clients.IoT("");

    /// <summary>Lets a client ask here. After a throttled call the adaptive mode waits for many seconds, which nobody has to see in each test.</summary>
    public void Tailor(ClientConfig config) =>
        (config.DefaultAWSCredentials, config.ServiceURL, config.AuthenticationRegion, config.RetryMode) = (AwsDoubles.Operator, _listener.Urls.First(), "local-1", RequestRetryMode.Standard);

    /// <summary>A client that dies where it is told to, and does not come back by itself.</summary>
    public AmazonIoTClient Dying(Crashing crashing)
    {
        var config = new AmazonIoTConfig { HttpClientFactory = crashing, MaxErrorRetry = 0 };
        Tailor(config);
        return new AmazonIoTClient(config);
    }

    /// <summary>OTA updates as they are made; null for at once, by the plane.</summary>
    public SlowUpdates? Updates { get; set; }

    /// <summary>Faults that have befallen nobody yet.</summary>
    public int FaultsLeft
    {
        get
        {
            lock (_gate)
            {
                return _faults.Sum(fault => fault.Times);
            }
        }
    }

    /// <summary>Method and path of each call so far.</summary>
    public IReadOnlyList<string> Calls
    {
        get
        {
            lock (_gate)
            {
                return [.. _calls];
            }
        }
    }

    public static async Task<IotDouble> StartAsync(FleetFixture fleet)
    {
        var started = new IotDouble(fleet);
        await started._listener.StartAsync();
        return started;
    }

    /// <param name="call">Method and what the path begins with: <c>PUT /jobs/</c>; a <c>*</c> in it stands for a part of the path.</param>
    public void Befall(IotFault kind, string call, int times = 1)
    {
        lock (_gate)
        {
            _faults.Add((kind, call, times));
        }
    }

    /// <summary>From now on nothing befalls anybody.</summary>
    public void Recover()
    {
        lock (_gate)
        {
            _faults.Clear();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Clients.Dispose();
        await _listener.DisposeAsync();
        _plane.Dispose();
    }

    private async Task HandleAsync(HttpContext context)
    {
        var request = context.Request;
        var call = $"{request.Method} {request.Path}";
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, context.RequestAborted);
        var asked = new Asked(request.Method, request.Path + request.QueryString, request.ContentType, body.ToArray());
        var fault = Take(call);
        var answer = fault switch
        {
            IotFault.Throttle => Answer.Refusal(429, "ThrottlingException", "Rate exceeded"),
            IotFault.Error => Answer.Refusal(500, "InternalFailureException", "something is broken"),
            IotFault.Stale when Before(asked) is { } old => old,
            _ => Updates is { } updates && updates.Takes(asked) is { } own ? own : await ActAsync(asked, context.RequestAborted),
        };
        switch (fault)
        {
            case IotFault.Lose:
                context.Abort();
                return;
            case IotFault.Silence:
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return;
        }

        await answer.WriteAsync(context.Response);
    }

    /// <summary>Asks the plane, as the caller did; whoever asked is not needed for that.</summary>
    internal async Task<Answer> ActAsync(Asked asked, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(new HttpMethod(asked.Method), new Uri(_planeUri, asked.Target));
        if (asked.Body.Length > 0)
        {
            request.Content = new ByteArrayContent(asked.Body);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", asked.ContentType ?? "application/json");
        }

        if (!asked.Reads)
        {
            lock (_gate)
            {
                _before = new Dictionary<string, Answer>(_latest, StringComparer.Ordinal);
            }
        }

        // What was asked of AWS is done, whether or not its caller is still there.
        using var response = await _plane.SendAsync(request, CancellationToken.None);
        var answer = new Answer((int)response.StatusCode, response.Headers.TryGetValues("x-amzn-errortype", out var types) ? types.First() : null, await response.Content.ReadAsByteArrayAsync(CancellationToken.None));
        if (asked.Reads)
        {
            lock (_gate)
            {
                _latest[asked.Key] = answer;
            }
        }

        return answer;
    }

    private Answer? Before(Asked asked)
    {
        lock (_gate)
        {
            return _before.GetValueOrDefault(asked.Key);
        }
    }

    private IotFault? Take(string call)
    {
        lock (_gate)
        {
            _calls.Add(call);
            int at = _faults.FindIndex(fault => fault.Times > 0 && System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(fault.Call, call));
            if (at < 0)
            {
                return null;
            }

            _faults[at] = _faults[at] with { Times = _faults[at].Times - 1 };
            return _faults[at].Kind;
        }
    }

    /// <param name="Target">Path and query.</param>
    internal sealed record Asked(string Method, string Target, string? ContentType, byte[] Body)
    {
        /// <summary>Queries of the index read, too.</summary>
        public bool Reads => Method == "GET" || Target.StartsWith("/indices/", StringComparison.Ordinal);

        public string Key => $"{Method} {Target} {Encoding.UTF8.GetString(Body)}";
    }

    internal sealed record Answer(int Status, string? Error, byte[] Body)
    {
        public static Answer Ok(object body) => new(200, null, System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(body));

        public static Answer Refusal(int status, string error, string message) => new(status, error, System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new { message }));

        public async Task WriteAsync(HttpResponse response)
        {
            (response.StatusCode, response.ContentType) = (Status, "application/json");
            if (Error is not null)
            {
                response.Headers["x-amzn-errortype"] = Error;
            }

            await response.Body.WriteAsync(Body);
        }
    }
}
