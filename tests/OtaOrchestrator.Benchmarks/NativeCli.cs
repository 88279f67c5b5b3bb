using System.Diagnostics;
using OtaOrchestrator.EndToEnd.Tests.Installation;

namespace OtaOrchestrator.Benchmarks;

/// <summary><c>ota</c> as it is shipped: compiled ahead of time. Made once per run.</summary>
internal static class NativeCli
{
    private static readonly Lazy<string> Made = new(Make);

    public static string Path => Made.Value;

    /// <summary>Runs it; what it wrote to standard output. <exception cref="InvalidOperationException">It failed.</exception></summary>
    public static async Task<string> RunAsync(string home, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Path, [.. arguments, "--home", home]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = process.StandardError.ReadToEndAsync();
        var written = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? written : throw new InvalidOperationException($"ota {arguments[0]} ended with {process.ExitCode}: {await said}");
    }

    private static string Make()
    {
        var folder = Directory.CreateTempSubdirectory("ota-native-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        var project = System.IO.Path.Combine(Programs.Root, "src", "OtaOrchestrator.Cli");
        using var publish = Process.Start(new ProcessStartInfo("dotnet", ["publish", project, "-c", "Release", "-o", folder, "--no-restore", "-v", "q", "-nodeReuse:false"]) { RedirectStandardOutput = true })!;
        var said = publish.StandardOutput.ReadToEnd();
        publish.WaitForExit();
        return publish.ExitCode == 0 ? System.IO.Path.Combine(folder, "ota") : throw new InvalidOperationException(said);
    }
}
