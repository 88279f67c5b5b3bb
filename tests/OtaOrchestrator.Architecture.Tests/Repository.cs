using System.Runtime.CompilerServices;

namespace OtaOrchestrator.Architecture.Tests;

/// <summary>The checkout that this test was built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    public static string Read(params string[] path) => File.ReadAllText(Path.Combine([Root, .. path])).ReplaceLineEndings("\n");

    private static string Find([CallerFilePath] string source = "")
    {
        var directory = new DirectoryInfo(Path.GetDirectoryName(source)!);
        while (!File.Exists(Path.Combine(directory.FullName, "OtaOrchestrator.sln")))
        {
            directory = directory.Parent ?? throw new DirectoryNotFoundException("no OtaOrchestrator.sln above " + source);
        }
        return directory.FullName;
    }
}
