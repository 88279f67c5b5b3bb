using System.Runtime.CompilerServices;

namespace OtaOrchestrator.AwsSdk.Tests;

/// <summary>The checkout that these tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    public static string Definition(string service) => Path.Combine(Root, "tools", "AwsSdkGenerator", "Services", service + ".json");

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
