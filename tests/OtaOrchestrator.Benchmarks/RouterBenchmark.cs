using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using OtaOrchestrator.Benchmarks.Routers;

namespace OtaOrchestrator.Benchmarks;

/// <summary>The router beside nginx and HAProxy in front of the same back end, in turns; and its p99 while weights switch beside the same without a switch.</summary>
internal static class RouterBenchmark
{
    private const int Clients = 64;
    private const int RatePerSecond = 1000;
    private const int Rounds = 3;
    private const int Windows = 12;
    private static readonly TimeSpan Span = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan BetweenSwitches = TimeSpan.FromMilliseconds(50);

    public static Task<Result> MaximumAsync(string peer) => AgainstAsync(peer, ">= 0.6", static (ours, peer) => ours / peer >= 0.6, "router, most requests per second over TLS", "/s",
        static (client, proxy) => ProxyLoad.MaximumAsync(client, proxy.Url, Clients, Span));

    public static Task<Result> P99Async(string peer) => AgainstAsync(peer, "<= 2", static (ours, peer) => ours / peer <= 2, $"router, p99 at {RatePerSecond} requests/s", "ms",
        static (client, proxy) => ProxyLoad.P99Async(client, proxy.Url, RatePerSecond, Span));

    /// <summary>The A/A control is every way to split the windows without a switch in two halves: how much two medians of the same thing differ here by chance.</summary>
    public static async Task<Result> SwitchingAsync()
    {
        using var scene = await Scene.StartAsync();
        using var router = await Proxy.OursAsync(scene.Folder, scene.Certificates, scene.Old);
        using var client = scene.Certificates.Client(Clients);
        using var orchestrator = scene.Certificates.Client(1, scene.Certificates.Orchestrator);
        await router.SetAsync(orchestrator, 1, scene.Old, scene.New, 0.5);
        await ProxyLoad.P99Async(client, router.Url, RatePerSecond, Window);
        List<double> still = [];
        List<double> switching = [];
        long revision = 1;
        for (int window = 0; window < Windows; window++)
        {
            still.Add(await ProxyLoad.P99Async(client, router.Url, RatePerSecond, Window));
            using var stop = new CancellationTokenSource();
            var switches = Task.Run(async () =>
            {
                using var timer = new PeriodicTimer(BetweenSwitches);
                while (!stop.IsCancellationRequested)
                {
                    await timer.WaitForNextTickAsync();
                    await router.SetAsync(orchestrator, ++revision, scene.Old, scene.New, revision % 2);
                }
            });
            switching.Add(await ProxyLoad.P99Async(client, router.Url, RatePerSecond, Window));
            await stop.CancelAsync();
            await switches;
            await router.SetAsync(orchestrator, ++revision, scene.Old, scene.New, 0.5);
        }
        double[] control = [.. Halves(still)];
        double upper = control[(int)(control.Length * 0.975)];
        double ratio = Result.Median(switching) / Result.Median(still);
        return new Result($"router, p99 during {revision} switches", $"the same without a switch; A/A {control[(int)(control.Length * 0.025)]:0.00} to {upper:0.00}", "ms",
            Result.Median(switching), Result.Median(still), ratio, $"<= {upper:0.00}", ratio <= upper);
    }

    private static IEnumerable<double> Halves(List<double> windows) => Enumerable.Range(0, 1 << windows.Count).Where(set => int.PopCount(set) == windows.Count / 2)
        .Select(set => Result.Median(windows.Where((_, i) => (set >> i & 1) == 1)) / Result.Median(windows.Where((_, i) => (set >> i & 1) == 0))).Order();

    private static async Task<Result> AgainstAsync(string peer, string reach, Func<double, double, bool> reached, string name, string unit, Func<HttpClient, Proxy, Task<double>> measure)
    {
        using var scene = await Scene.StartAsync();
        using var ours = await Proxy.OursAsync(scene.Folder, scene.Certificates, scene.Old);
        using var other = peer == "nginx" ? await Proxy.NginxAsync(scene.Folder, scene.Certificates, scene.Old) : await Proxy.HaproxyAsync(scene.Folder, scene.Certificates, scene.Old);
        Dictionary<Proxy, List<double>> figures = new() { [ours] = [], [other] = [] };
        // The first round only warms up.
        for (int round = 0; round <= Rounds; round++)
        {
            foreach (var (proxy, found) in figures)
            {
                using var client = scene.Certificates.Client(Clients);
                double figure = await measure(client, proxy);
                if (round > 0)
                {
                    found.Add(figure);
                }
            }
        }
        var (mine, its) = (Result.Median(figures[ours]), Result.Median(figures[other]));
        return new Result(name, peer, unit, mine, its, mine / its, reach, reached(mine, its));
    }

    /// <summary>Two back ends in this process, over TLS, and a folder.</summary>
    private sealed class Scene : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ota-bench-");
        private readonly List<WebApplication> _backends = [];

        private Scene() => Certificates = new Certificates(Folder);

        public string Folder => _folder.FullName;
        public Certificates Certificates { get; }
        public Uri Old { get; private set; } = null!;
        public Uri New { get; private set; } = null!;

        public static async Task<Scene> StartAsync()
        {
            var scene = new Scene();
            scene.Old = await scene.BackendAsync("old");
            scene.New = await scene.BackendAsync("new");
            // nginx's workers may be another user's.
            File.SetUnixFileMode(scene.Folder, (UnixFileMode)0b111_101_101);
            return scene;
        }

        public void Dispose()
        {
            foreach (var backend in _backends)
            {
                ((IDisposable)backend).Dispose();
            }
            Certificates.Dispose();
            _folder.Delete(recursive: true);
        }

        private async Task<Uri> BackendAsync(string version)
        {
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listener =>
            {
                listener.Protocols = HttpProtocols.Http1AndHttp2;
                listener.UseHttps(Certificates.Server);
            }));
            var app = builder.Build();
            app.Run(context => context.Response.WriteAsync(version));
            await app.StartAsync();
            _backends.Add(app);
            return new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        }
    }
}
