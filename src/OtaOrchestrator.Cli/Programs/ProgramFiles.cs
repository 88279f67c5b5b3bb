using System.Runtime.InteropServices;

namespace OtaOrchestrator.Cli.Programs;

/// <summary>Finds the product's other programs: installed beside this one, or in the source tree's output folders.</summary>
internal sealed class ProgramFiles(string baseDirectory, Func<string, string?> variable)
{
    public const string Server = "OtaOrchestrator.Server";
    public const string Router = "OtaOrchestrator.Router";
    public const string Simulator = "ota-sim";

    private static readonly string[] Configurations = ["Release", "Debug"];

    public static ProgramFiles OfProcess(CliHost host) => new(AppContext.BaseDirectory, host.Variable);

    /// <summary>The executable's path; throws <see cref="CliFailure"/> when it is nowhere.</summary>
    public string Find(string program)
    {
        foreach (var candidate in Candidates(program))
        {
            if (File.Exists(candidate))
            {
                return Path.GetFullPath(candidate);
            }
        }
        throw new CliFailure(ExitCode.Failure, $"the program {program} is not installed beside ota", $"build it: dotnet build src/{ProjectOf(program)} -c Release; or say where with OTA_PROGRAMS");
    }

    /// <summary>The first ancestor of this program that holds <paramref name="relative"/>, or null: for samples of the source tree.</summary>
    public string? FindUpwards(string relative)
    {
        for (var at = new DirectoryInfo(baseDirectory); at is not null; at = at.Parent)
        {
            var path = Path.Combine(at.FullName, relative);
            if (Path.Exists(path))
            {
                return path;
            }
        }
        return null;
    }

    /// <summary>What a framework-dependent program needs to find the runtime that this one runs on.</summary>
    public static IEnumerable<(string Name, string Value)> RuntimeVariables()
    {
        // .../shared/Microsoft.NETCore.App/10.0.x/ when this runs on the runtime; elsewhere when compiled ahead of time.
        var runtime = new DirectoryInfo(RuntimeEnvironment.GetRuntimeDirectory());
        if (runtime.Parent?.Parent is { Name: "shared", Parent: { } root } && Environment.GetEnvironmentVariable("DOTNET_ROOT") is null)
        {
            yield return ("DOTNET_ROOT", root.FullName);
        }
    }

    private IEnumerable<string> Candidates(string program)
    {
        if (variable("OTA_PROGRAMS") is { Length: > 0 } folder)
        {
            yield return Path.Combine(folder, program);
        }
        yield return Path.Combine(baseDirectory, program);
        var parts = baseDirectory.Split(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar);
        var bin = Array.LastIndexOf(parts, "bin");
        var own = bin >= 0 && bin + 1 < parts.Length ? parts[bin + 1] : null;
        var configurations = own is not null && Configurations.Contains(own) ? [own, .. Configurations.Where(c => c != own)] : Configurations;
        var project = ProjectOf(program);
        for (var at = new DirectoryInfo(baseDirectory); at is not null; at = at.Parent)
        {
            foreach (var configuration in configurations)
            {
                yield return Path.Combine(at.FullName, project, "bin", configuration, "net10.0", program);
                yield return Path.Combine(at.FullName, "src", project, "bin", configuration, "net10.0", program);
            }
        }
    }

    private static string ProjectOf(string program) => program == Simulator ? "OtaOrchestrator.Simulator" : program;
}
