using System.Text.Json;
using Grpc.Core;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Programs;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Demo;

/// <summary>Last act: a tampered image at the front door, a forged one behind the server's back.</summary>
internal static class AttackAct
{
    public static async Task<TamperedImage> Tampered(Stage stage, DemoProgress progress, CancellationToken cancellation)
    {
        progress.Begin("a tampered image is published");
        CliFailure? refused = null;
        try
        {
            await Parts.PublishFirmware(stage, Cast.FirmwareTampered, cancellation);
        }
        catch (RpcException failure) when (failure.StatusCode is StatusCode.InvalidArgument)
        {
            refused = RpcFailure.Explain(failure);
        }
        var exists = await Exists(stage, $"releases/{Cast.Firmware}@{Cast.FirmwareTampered}", cancellation);
        var tampered = new TamperedImage(refused?.Reason == "IMAGE_REFUSED" && !exists);
        progress.Done(tampered.PublishRefused ? $"refused: {refused!.Message}" : "it was NOT refused");
        return tampered;
    }

    /// <summary>
    /// Somebody with the control plane's stolen credentials offers the fleet an image that is signed with a key of their own. The server knows nothing of it;
    /// each device has to refuse by itself and say so.
    /// </summary>
    public static async Task<ForgedUpdate> Forged(Stage stage, DemoProgress progress, ServerEndpoint endpoint, CancellationToken cancellation)
    {
        progress.Begin("an image signed by another key is offered behind the server's back");
        var controlPlane = endpoint.ControlPlane ?? throw new CliFailure(ExitCode.Failure, "the server's control plane is closed");
        var file = stage.InFolder("forged.json");
        var attacker = stage.Start("attacker", ProgramFiles.Simulator,
            "forge", "--control-plane", controlPlane, "--ca", stage.Home.ServerCa, "--credentials", Path.Combine(stage.Home.Path, "server", "control-plane.json"),
            "--fleet", Cast.Fleet, "--hardware", Cast.Hardware, "--release", $"{Cast.Firmware}@9.9.9", "--report", file);
        await attacker.WaitUntil("done", _ => Task.FromResult(File.Exists(file)), TimeSpan.FromSeconds(30), cancellation);
        using var document = JsonDocument.Parse(await File.ReadAllBytesAsync(file, cancellation));
        var job = document.RootElement.GetProperty("job").GetString();
        var digest = document.RootElement.GetProperty("digest").GetString();
        progress.Event($"job {job} is in the fleet");
        var reported = await stage.Read(
            () => stage.Count($"job=\"{job}\" AND outcome=\"refused\" AND reason=\"SIGNATURE\"", cancellation), n => n >= stage.Devices, TimeSpan.FromSeconds(30), cancellation);
        var installed = await stage.Count($"digest=\"{digest}\"", cancellation);
        progress.Done($"{reported} of {stage.Devices} devices refused it and said so, {installed} installed it");
        return new ForgedUpdate(installed, reported);
    }

    private static async Task<bool> Exists(Stage stage, string release, CancellationToken cancellation)
    {
        try
        {
            await stage.Api.Call((api, options) => api.Releases.GetReleaseAsync(new GetReleaseRequest { Name = release }, options), cancellation);
            return true;
        }
        catch (RpcException failure) when (failure.StatusCode is StatusCode.NotFound)
        {
            return false;
        }
    }
}
