using System.Diagnostics;
using System.Text.Json.Nodes;

namespace OtaOrchestrator.AwsSdk.Tests;

public sealed class OfficialPackagesTests
{
    [Theory]
    [InlineData("src/OtaOrchestrator.Aws/OtaOrchestrator.Aws.csproj", "AWSSDK.IoT", "OtaOrchestrator.Core")]
    [InlineData("tests/OtaOrchestrator.AwsSdk.Tests/OtaOrchestrator.AwsSdk.Tests.csproj", "AWSSDK.KeyManagementService", "AwsSdkGenerator")]
    public async Task One_property_turns_references_to_stand_ins_into_references_to_the_official_packages(string project, string package, string other)
    {
        var (projects, packages) = await References(project, official: false);
        Assert.Contains(package, projects);
        Assert.Contains(other, projects);

        (projects, packages) = await References(project, official: true);
        Assert.DoesNotContain(projects, p => p.StartsWith("AWSSDK.", StringComparison.Ordinal));
        Assert.Single(packages, package);
        Assert.Contains(other, projects);
    }

    private static async Task<(List<string> Projects, List<string> Packages)> References(string project, bool official)
    {
        var arguments = new[] { "msbuild", project, "-getItem:ProjectReference", "-getItem:PackageReference", $"-p:UseOfficialAwsSdk={(official ? "true" : "false")}" };
        using var msbuild = Process.Start(new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = Repository.Root, RedirectStandardOutput = true })!;
        var output = await msbuild.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await msbuild.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(msbuild.ExitCode == 0, output);
        var items = JsonNode.Parse(output)!["Items"]!;
        return (Names("ProjectReference", "Filename"), Names("PackageReference", "Identity"));

        List<string> Names(string kind, string metadata) => [.. items[kind]!.AsArray().Select(i => (string)i![metadata]!)];
    }
}
