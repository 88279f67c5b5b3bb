using System.Runtime.CompilerServices;

namespace OtaOrchestrator.EndToEnd.Tests.Installation;

/// <summary>Where the built programs and the samples are.</summary>
internal static class Programs
{
    public static string Root { get; } = FindRoot();
    public static string Cli => Built("OtaOrchestrator.Cli", "ota");
    public static string Server => Built("OtaOrchestrator.Server", "OtaOrchestrator.Server");
    public static string Router => Built("OtaOrchestrator.Router", "OtaOrchestrator.Router");
    public static string Simulator => Built("OtaOrchestrator.Simulator", "ota-sim");

    public static string Sample(string name) => Path.Combine(Root, "firmware-samples", name);

    private static string Built(string project, string program)
    {
        // Tests and programs are built with the same configuration.
        var output = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        var file = Path.Combine(Root, "src", project, "bin", output.Parent!.Name, output.Name, program);
        Assert.True(File.Exists(file), $"{program} is not built: {file}");
        return file;
    }

    private static string FindRoot([CallerFilePath] string source = "")
    {
        var directory = new DirectoryInfo(Path.GetDirectoryName(source)!);
        while (!File.Exists(Path.Combine(directory.FullName, "OtaOrchestrator.sln")))
        {
            directory = directory.Parent!;
        }
        return directory.FullName;
    }
}
