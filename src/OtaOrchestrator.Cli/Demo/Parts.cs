using System.Text.Json;
using OtaOrchestrator.Cli.Commands;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Cli.Programs;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Demo;

/// <summary>What every scenario is set up from: back ends, a router, an environment, releases, targets.</summary>
internal static class Parts
{
    /// <summary>One generation of the back end. <returns>Its address.</returns></summary>
    /// <param name="faults">What is wrong with it, as options of the program.</param>
    public static async Task<string> StartBackend(Stage stage, string version, CancellationToken cancellation, params string[] faults) =>
        Address(await stage.StartReady($"backend-{version}", ProgramFiles.Simulator, cancellation,
            ["backend", "--version", version, "--listen", "https://127.0.0.1:0", "--cert", stage.Pki("router.crt"), "--key", stage.Pki("router.key"), "--grace-seconds", "5", .. faults]), "url");

    /// <summary>A router whose route goes to <paramref name="baseline"/> for a start; from the first rollout on the server writes it.</summary>
    /// <param name="before">The one that it takes over from, or null for the first.</param>
    /// <param name="grace">For what is under way when another one takes over.</param>
    public static async Task<RouterAddresses> StartRouter(Stage stage, string name, string baseline, RouterAddresses? before, TimeSpan grace, CancellationToken cancellation)
    {
        static string Authority(string? url) => url is null ? "127.0.0.1:0" : new Uri(url).Authority;
        var ready = await stage.StartReady(name, ProgramFiles.Router, cancellation,
        [
            "--listen", Authority(before?.Url), "--admin-listen", Authority(before?.AdminUrl), "--tls-cert", stage.Pki("router.crt"), "--tls-key", stage.Pki("router.key"),
            "--admin-ca", stage.Pki("operators-ca.crt"), "--backend-ca", stage.Pki("server-ca.crt"), "--state", stage.InFolder("router-state.json"),
            "--baseline", $"{Cast.Api}={Cast.Api}@{Cast.ApiOld}={baseline}", "--grace-seconds", Stage.Number((long)grace.TotalSeconds), .. before is null ? (string[])[] : ["--take-over"],
        ]);
        return new RouterAddresses(Address(ready, "url"), Address(ready, "adminUrl"));
    }

    public static async Task CreateEnvironment(Stage stage, CancellationToken cancellation)
    {
        var request = new CreateEnvironmentRequest
        {
            EnvironmentId = ResourceName.Last(Cast.Environment),
            Environment = new Protocol.V1.Environment { Title = "The demo" },
            RequestId = Arguments.NewRequestId(),
        };
        await stage.Api.Call((api, options) => api.Environments.CreateEnvironmentAsync(request, options), cancellation);
    }

    public static async Task CreateTarget(Stage stage, string id, Target target, CancellationToken cancellation)
    {
        var request = new CreateTargetRequest { Parent = Cast.Environment, TargetId = id, Target = target, RequestId = Arguments.NewRequestId() };
        await stage.Api.Call((api, options) => api.Environments.CreateTargetAsync(request, options), cancellation);
    }

    /// <summary>The route as a target that runs <see cref="Cast.ApiOld"/>.</summary>
    public static Task CreateRoute(Stage stage, RouterAddresses router, CancellationToken cancellation) => CreateTarget(stage, Cast.Api,
        new Target { CurrentRelease = $"releases/{Cast.Api}@{Cast.ApiOld}", Router = new RouterTarget { AdminUrl = router.AdminUrl, Route = Cast.Api } }, cancellation);

    public static Task<Release> PublishBackend(Stage stage, string version, string address, CancellationToken cancellation) =>
        Publish(stage, new Release { Name = $"releases/{Cast.Api}@{version}", Backend = new BackendRelease { Addresses = { address } } }, null, cancellation);

    public static async Task<Release> PublishFirmware(Stage stage, string version, CancellationToken cancellation)
    {
        var image = stage.Samples.Named(version);
        return await Publish(stage, new Release { Name = $"releases/{Cast.Firmware}@{version}", Firmware = new FirmwareRelease { Size = image.Length, Fleet = Cast.Fleet } }, image, cancellation);
    }

    public static async Task<Release> Publish(Stage stage, Release release, FileInfo? image, CancellationToken cancellation)
    {
        var head = new PublishReleaseRequest.Types.Head { Release = release, RequestId = Arguments.NewRequestId() };
        return await ReleasePublishCommand.Send(stage.Api, stage.Report, stage.Host.Time, head, image, cancellation);
    }

    private static string Address(JsonElement ready, string name) =>
        ready.TryGetProperty(name, out var value) && value.GetString() is { Length: > 0 } address
            ? address.TrimEnd('/')
            : throw new CliFailure(ExitCode.Failure, $"a program's ready file has no `{name}`: {Terminal.Cut(ready.GetRawText(), 200)}");
}

/// <param name="Url">For clients.</param>
internal sealed record RouterAddresses(string Url, string AdminUrl);
