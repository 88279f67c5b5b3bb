using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Programs;

namespace OtaOrchestrator.Cli.Demo.Backend;

/// <summary>
/// Has a candidate run for as long as the story needs it: started, asked by HTTP and by gRPC until it is well, and told to end only when the router has drained it.
/// In real use a back end has somebody of its own for this, and its addresses come with its release.
/// </summary>
internal sealed class Supervisor(Stage stage, RouterAddresses router) : IDisposable
{
    private static readonly TimeSpan HealthyMax = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan DrainedMax = Traffic.StreamLength + TimeSpan.FromSeconds(12);
    private static readonly TimeSpan EndMax = TimeSpan.FromSeconds(20);

    /// <summary>As the orchestrator: it may look at the router, and knows the installation's authority.</summary>
    private readonly HttpClient _http = new(MutualTls.Handler(
        () => X509CertificateLoader.LoadCertificateFromFile(stage.Pki("server-ca.crt")),
        () => X509Certificate2.CreateFromPemFile(stage.Pki("orchestrator.crt"), stage.Pki("orchestrator.key"))));

    /// <returns>Its address.</returns>
    public async Task<string> Start(string version, string[] faults, CancellationToken cancellation)
    {
        var address = await Parts.StartBackend(stage, version, cancellation, faults);
        using var channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions { HttpClient = _http });
        var health = new Health.HealthClient(channel);
        await Process(version).WaitUntil("healthy", async token =>
        {
            try
            {
                using var answer = await _http.GetAsync(address + "/healthz", token);
                return answer.IsSuccessStatusCode && (await health.CheckAsync(new HealthCheckRequest(), cancellationToken: token)).Status == HealthCheckResponse.Types.ServingStatus.Serving;
            }
            catch (Exception error) when (error is HttpRequestException or RpcException && !token.IsCancellationRequested)
            {
                return false;
            }
        }, HealthyMax, cancellation);
        return address;
    }

    /// <returns>Its exit code.</returns>
    public async Task<int> Stop(string version, CancellationToken cancellation)
    {
        var process = Process(version);
        await process.WaitUntil("drained", async token =>
        {
            var route = JsonDocument.Parse(await _http.GetStringAsync($"{router.AdminUrl}/v1/routes/{Cast.Api}", token)).RootElement;
            return route.GetProperty("destinations").EnumerateArray().All(destination =>
                destination.GetProperty("release").GetString() != $"{Cast.Api}@{version}" || string.Equals(destination.GetProperty("state").GetString(), "removed", StringComparison.OrdinalIgnoreCase));
        }, DrainedMax, cancellation);
        Signal.SendTerminate(process.Id);
        return await stage.Ended(process, EndMax, cancellation);
    }

    public void Dispose() => _http.Dispose();

    private ChildProgram Process(string version) => stage.Child($"backend-{version}");
}
