using System.Diagnostics;

namespace OtaOrchestrator.Architecture.Tests;

public sealed class LayoutTests
{
    private static readonly string[] TopLevel =
        ["src", "proto", "tests", "firmware-samples", "OtaOrchestrator.sln", "README.md", "README.ja.md", "docs", "eng", "tools", "deploy", ".ci",
            ".editorconfig", ".gitattributes", ".gitignore", "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "global.json", "LICENSE"];

    [Fact]
    public void Top_level_holds_only_what_has_its_place_there()
    {
        Assert.Empty(Tracked().Select(file => file.Split('/')[0]).Distinct().Except(TopLevel));
    }

    [Fact]
    public void No_secret_and_no_build_output_is_tracked()
    {
        var tracked = Tracked().ToList();
        Assert.DoesNotContain(tracked, file => file.Split('/').Any(part => part is "bin" or "obj" or "TestResults"));
        var keys = tracked.Where(file => file.EndsWith(".key", StringComparison.Ordinal) || file.EndsWith(".pem", StringComparison.Ordinal) || file.EndsWith(".pfx", StringComparison.Ordinal));
        Assert.All(keys, key => Assert.StartsWith("firmware-samples/", key, StringComparison.Ordinal));
    }

    private static IEnumerable<string> Tracked()
    {
        using var git = Process.Start(new ProcessStartInfo("git", ["ls-files"]) { WorkingDirectory = Repository.Root, RedirectStandardOutput = true })!;
        var files = git.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        git.WaitForExit();
        Assert.NotEmpty(files);
        return files;
    }
}
