using System.Text.Json;

namespace OtaOrchestrator.Cli.Demo;

/// <summary>What the load generator counted so far: every request, every one that failed for whatever reason, and which version answered.</summary>
/// <param name="OnPurpose">Of the failed: those whose back end says that it was told to fail.</param>
internal sealed record LoadReport(long Requests, long Failed, long OnPurpose, IReadOnlyDictionary<string, long> Versions)
{
    /// <summary>Null while there is none.</summary>
    public static LoadReport? Read(string file)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
            var root = document.RootElement;
            var versions = root.TryGetProperty("versions", out var counted)
                ? counted.EnumerateObject().ToDictionary(version => version.Name, version => version.Value.GetInt64(), StringComparer.Ordinal)
                : [];
            return new LoadReport(root.GetProperty("requests").GetInt64(), root.GetProperty("failed").GetInt64(), root.GetProperty("onPurpose").GetInt64(), versions);
        }
        catch (Exception failure) when (failure is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Failures that no back end was told to show.</summary>
    public long Lost => Failed - OnPurpose;

    public long Of(string version) => Versions.GetValueOrDefault(version);
}
