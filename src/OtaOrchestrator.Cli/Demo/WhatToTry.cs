using OtaOrchestrator.Cli.Programs;

namespace OtaOrchestrator.Cli.Demo;

/// <summary>Three commands for a demo that is kept running; one of them breaks things.</summary>
internal static class WhatToTry
{
    public static async Task Say(Stage stage, CancellationToken cancellation)
    {
        await Parts.PublishFirmware(stage, Cast.FirmwareCrashing, cancellation);
        var plan = stage.InFolder("break.yaml");
        await File.WriteAllTextAsync(plan, Plans.Breaking + "\n", cancellation);
        var ota = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? "dotnet " + Word(Path.Combine(AppContext.BaseDirectory, "ota.dll")) : Word(Environment.ProcessPath ?? "ota");
        var home = Word(stage.Home.Path);
        foreach (var line in (string[])
        [
            "",
            "Everything runs on. Try:",
            $"  {ota} --home {home} device list --by release",
            $"  {ota} --home {home} rollout start {Word(plan)} --wait      # breaks things: firmware that crash-loops",
            $"  {ota} --home {home} rollback --wait                  # undo, in whatever state it is",
            $"and to end it: kill {string.Join(' ', stage.Children.Where(child => !child.HasExited).Select(child => Stage.Number(child.Id)))}",
        ])
        {
            stage.Report.Note(line);
        }
    }

    /// <summary>As it is typed into a shell.</summary>
    private static string Word(string path) =>
        path.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '.' or '-' or '_') ? path : "'" + path.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
}
