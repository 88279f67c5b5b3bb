using System.Security.Cryptography.X509Certificates;
using OtaOrchestrator.Contracts;
using OtaOrchestrator.Core.Ports;
using OtaOrchestrator.Router.Tests.Parts;
using OtaOrchestrator.Server.Targets.Router;
using Fence = OtaOrchestrator.Core.Ports.Fence;

namespace OtaOrchestrator.Router.Tests.Target;

/// <summary>The contract of traffic targets against a real router, over mutual TLS.</summary>
public sealed class RouterContractTests : TrafficTargetContract
{
    protected override async Task<TrafficLane> StartAsync()
    {
        var lane = new RouterLane();
        await lane.StartAsync();
        return lane;
    }

    private sealed class RouterLane : TrafficLane
    {
        private readonly TheWorld _world = new();
        private HttpClient _http = null!;
        private RouterTarget _target = null!;

        public override ITarget Adapter => _target;

        public override bool Fenced => true;

        protected override TargetOrder Template => new()
        {
            Environment = "demo", Target = "thermostat-api", Rollout = "r1", Lane = "backend", Fence = default,
            Candidate = Release(_world.New), Fallback = Release(_world.Old), Steps = [new(0, null), new(0.25, null), new(1, null)], Step = -1,
        };

        public async Task StartAsync()
        {
            await _world.InitializeAsync();
            using var authority = X509CertificateLoader.LoadCertificateFromFile(_world.Pki.AuthorityFile);
            _http = RouterHttp.Create(_world.Pki.Orchestrator.Load(), X509CertificateLoader.LoadCertificate(authority.RawData));
            await _world.Router.SetAsync(TestRouter.Body(0, 1, _world.Old));
            Restart();
        }

        /// <summary>Who serves, and how many of them; the candidate with weight 0 serves nobody.</summary>
        public override async Task<string> ServesAsync() => (await _world.Router.RouteAsync())["effective"]!.ToJsonString() + (string)(await _world.Router.RouteAsync())["baseline"]!["release"]!;

        /// <summary>Another rollout takes the route.</summary>
        public override async Task MoveAsync() => await _world.Router.SetAsync(TestRouter.Body(2, 1, _world.New));

        public override void Restart() => _target = new RouterTarget(_http, new Uri(_world.Router.AdminUrl), "api", TimeProvider.System);

        public override async ValueTask DisposeAsync()
        {
            _http.Dispose();
            await _world.DisposeAsync();
        }

        private static TargetRelease Release(ToyBackend backend) => new("thermostat-api", backend.Version, "sha256:" + new string('0', 64)) { Addresses = [backend.Url] };
    }

    private sealed class TheWorld : World;
}
