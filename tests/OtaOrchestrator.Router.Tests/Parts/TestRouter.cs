using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using OtaOrchestrator.Router.Hosting;

namespace OtaOrchestrator.Router.Tests.Parts;

/// <summary>A router with both its listeners, and what a test asks of them.</summary>
internal sealed class TestRouter : IAsyncDisposable
{
    private readonly WebApplication? _app;

    public TestRouter(Pki pki, string url, string adminUrl, WebApplication? app = null)
    {
        (Url, AdminUrl, _app) = (url, adminUrl, app);
        Public = pki.Client(null);
        Public.BaseAddress = new Uri(url);
        Admin = pki.Client(pki.Orchestrator);
        Admin.BaseAddress = new Uri(adminUrl);
    }

    public string Url { get; }
    public string AdminUrl { get; }
    public HttpClient Public { get; }
    public HttpClient Admin { get; }

    public static RouterOptions Options(Pki pki) => new()
    {
        Listen = new IPEndPoint(IPAddress.Loopback, 0),
        AdminListen = new IPEndPoint(IPAddress.Loopback, 0),
        TlsCert = pki.Server.CertificateFile,
        TlsKey = pki.Server.KeyFile,
        AdminCa = pki.AuthorityFile,
        BackendCa = pki.AuthorityFile,
        State = Path.Combine(pki.Folder, "state.json"),
        ProbeInterval = TimeSpan.FromMilliseconds(100),
        ConnectTimeout = TimeSpan.FromSeconds(2),
        Grace = TimeSpan.FromSeconds(2),
    };

    public static async Task<TestRouter> StartAsync(Pki pki, RouterOptions? options = null)
    {
        options ??= Options(pki);
        var app = RouterHost.Build(options, TimeProvider.System);
        await RouterHost.BeginAsync(app, options, CancellationToken.None);
        await app.StartAsync();
        var ready = Ready.Of(app);
        return new TestRouter(pki, ready.Url, ready.AdminUrl, app);
    }

    public static JsonObject Body(long epoch, long revision, ToyBackend baseline, ToyBackend? candidate = null, double weight = 0) => new()
    {
        ["fence"] = new JsonObject { ["epoch"] = epoch, ["revision"] = revision },
        ["baseline"] = Side(baseline),
        ["candidate"] = candidate is null ? null : Side(candidate),
        ["candidateWeight"] = weight,
    };

    public async Task<HttpResponseMessage> PutAsync(JsonNode body, string name = "api") => await Admin.PutAsJsonAsync($"/v1/routes/{name}", body);

    /// <summary>Puts and expects it to be accepted.</summary>
    public async Task<JsonNode> SetAsync(JsonNode body)
    {
        using var response = await PutAsync(body);
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        return JsonNode.Parse(text)!;
    }

    public async Task<JsonNode> RouteAsync() => (await Admin.GetFromJsonAsync<JsonNode>("/v1/routes/api"))!;

    public async Task<JsonNode> StatisticsAsync() => (await Admin.GetFromJsonAsync<JsonNode>("/v1/routes/api/stats"))!;

    public async Task<JsonNode?> SideAsync(string side, string release) =>
        (await StatisticsAsync())["sides"]!.AsArray().SingleOrDefault(found => (string?)found!["side"] == side && (string?)found["release"] == release);

    public Task<string> VersionAsync() => Public.GetStringAsync("/version");

    public async Task<JsonNode> DestinationAsync(ToyBackend backend) =>
        (await RouteAsync())["destinations"]!.AsArray().Last(destination => (string?)destination!["address"] == backend.Url)!;

    /// <summary>Reads until the condition holds.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await condition())
        {
            try
            {
                await timer.WaitForNextTickAsync(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail("did not come about in 20 s: " + what);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        Public.Dispose();
        Admin.Dispose();
        if (_app is not null)
        {
            await _app.StopAsync();
            await _app.DisposeAsync();
        }
    }

    private static JsonObject Side(ToyBackend backend) => new() { ["release"] = backend.Release, ["addresses"] = new JsonArray(backend.Url) };
}
