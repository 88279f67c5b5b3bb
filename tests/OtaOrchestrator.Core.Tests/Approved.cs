using System.Runtime.CompilerServices;

namespace OtaOrchestrator.Core.Tests;

/// <summary>Holds a text to the approved one beside the test. <c>OTA_APPROVE=1</c> writes it anew: read the diff, commit only what you understand.</summary>
internal static class Approved
{
    public static void Text(string actual, string name, [CallerFilePath] string source = "")
    {
        var file = Path.Combine(Path.GetDirectoryName(source)!, "Approved", name);
        actual = actual.ReplaceLineEndings("\n").TrimEnd() + "\n";
        if (Environment.GetEnvironmentVariable("OTA_APPROVE") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, actual);
        }
        Assert.True(File.Exists(file), $"{name} is not approved yet; run with OTA_APPROVE=1");
        Assert.Equal(File.ReadAllText(file), actual);
    }
}
