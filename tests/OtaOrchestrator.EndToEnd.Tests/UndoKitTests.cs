using System.Diagnostics;
using OtaOrchestrator.EndToEnd.Tests.Installation;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.EndToEnd.Tests;

/// <summary>The undo sheet, followed word for word in a shell by somebody who has nothing else.</summary>
[Collection(Site.OneAtATime)]
public sealed class UndoKitTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task The_sheet_takes_back_end_and_devices_back_without_the_orchestrator_and_the_orchestrator_agrees_later()
    {
        await using var site = await Site.StartAsync(4, always: ["--control-plane", "127.0.0.1:0"]);
        var rollout = await site.CallAsync(c => c.Rollouts.CreateRolloutAsync(new() { Parent = Site.Environment, RolloutId = "autumn", Plan = Site.Plan("autumn", TimeSpan.FromSeconds(0.4)) }));
        var sheet = await site.CallAsync(c => c.Rollouts.GetUndoSheetAsync(new() { Name = rollout.Name }));
        await site.UntilAsync(rollout.Name, RolloutState.Succeeded, Limit);
        await site.AllRunAsync(Site.FirmwareNew, Limit, () => site.Server.Output);

        // As it stands on paper, in one shell from top to bottom.
        var (code, said) = await ShellAsync(string.Join('\n', sheet.Commands.Select(command => $"# {command.Comment}\n{command.Command} || exit 9")));
        Assert.True(code == 0, said);
        await site.AllRunAsync(Site.FirmwareOld, Limit, () => said);
        var (release, route) = await site.ServesAsync();
        Assert.True(release == $"{Site.Api}@{Site.ApiOld}", route);

        await site.CallAsync(c => c.Rollouts.RollbackRolloutAsync(new() { Name = rollout.Name, Reason = "was done by hand" }));
        await site.UntilAsync(rollout.Name, RolloutState.RolledBack, Limit);
        await site.AgreesAsync(() => said);
        var (requests, failed, text) = site.Load();
        Assert.True(requests > 0 && failed == 0, text);
    }

    private static async Task<(int Code, string Said)> ShellAsync(string script)
    {
        var start = new ProcessStartInfo("/bin/sh") { ArgumentList = { "-c", script }, RedirectStandardOutput = true, RedirectStandardError = true };
        using var shell = Process.Start(start)!;
        var said = await Task.WhenAll(shell.StandardOutput.ReadToEndAsync(), shell.StandardError.ReadToEndAsync());
        await shell.WaitForExitAsync().WaitAsync(Limit);
        return (shell.ExitCode, $"{script}\n{said[0]}\n{said[1]}");
    }
}
