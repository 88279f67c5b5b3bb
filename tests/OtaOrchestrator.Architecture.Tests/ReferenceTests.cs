using System.Xml.Linq;

namespace OtaOrchestrator.Architecture.Tests;

/// <summary>Who may reference whom. A change here is a change of the architecture and wants an ADR.</summary>
public sealed class ReferenceTests
{
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["OtaOrchestrator.Core"] = [],
        ["OtaOrchestrator.Firmware"] = [],
        ["OtaOrchestrator.Protocol"] = [],
        ["AWSSDK.IoT"] = [],
        ["AWSSDK.Lambda"] = [],
        ["AWSSDK.CodeDeploy"] = [],
        ["AWSSDK.CloudWatch"] = [],
        ["AWSSDK.CloudFront"] = [],
        ["AWSSDK.CloudTrail"] = [],
        ["AWSSDK.APIGateway"] = [],
        ["AWSSDK.SecurityHub"] = [],
        ["AWSSDK.AccessAnalyzer"] = [],
        ["AWSSDK.IdentityManagement"] = [],
        ["AWSSDK.S3Control"] = [],
        ["AWSSDK.SimpleNotificationService"] = [],
        ["OtaOrchestrator.Aws"] =
        [
            "OtaOrchestrator.Core", "AWSSDK.AccessAnalyzer", "AWSSDK.APIGateway", "AWSSDK.CloudFront", "AWSSDK.CloudTrail", "AWSSDK.CloudWatch", "AWSSDK.CodeDeploy", "AWSSDK.IdentityManagement", "AWSSDK.IoT",
            "AWSSDK.Lambda", "AWSSDK.S3Control", "AWSSDK.SecurityHub",
        ],
        ["OtaOrchestrator.DevicePlane"] = [],
        ["OtaOrchestrator.Router"] = [],
        ["OtaOrchestrator.Agent"] = ["OtaOrchestrator.Firmware"],
        ["OtaOrchestrator.Simulator"] = ["OtaOrchestrator.Agent", "OtaOrchestrator.Firmware", "AWSSDK.IoT"],
        ["OtaOrchestrator.Cli"] = ["OtaOrchestrator.Core", "OtaOrchestrator.Protocol"],
        ["OtaOrchestrator.Server"] =
            ["OtaOrchestrator.Core", "OtaOrchestrator.Firmware", "OtaOrchestrator.Protocol", "OtaOrchestrator.Aws", "OtaOrchestrator.DevicePlane", "AWSSDK.IoT"],
    };

    private static readonly Dictionary<string, string[]> PackagesOfCore = new(StringComparer.Ordinal)
    {
        ["OtaOrchestrator.Core"] = ["Stateless", "YamlDotNet"],
        ["OtaOrchestrator.Firmware"] = ["BouncyCastle.Cryptography"],
    };

    public static TheoryData<string> Projects() =>
        [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories).Select(file => Path.GetFileNameWithoutExtension(file)!).Order()];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Project_references_only_what_it_may(string project)
    {
        Assert.True(Allowed.TryGetValue(project, out var allowed), $"{project} is new: say here what it may reference");
        var document = Load(project);
        // Programs that are only built beside another one are not references.
        var references = document.Descendants("ProjectReference").Where(reference => (string?)reference.Attribute("ReferenceOutputAssembly") != "false").Select(Name);
        Assert.Empty(references.Except(allowed));
        if (PackagesOfCore.TryGetValue(project, out var packages))
        {
            Assert.Empty(document.Descendants("PackageReference").Select(package => (string)package.Attribute("Include")!).Except(packages));
        }
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Amazon_is_used_only_by_the_adapters_and_the_device_plane(string project)
    {
        if (project is "OtaOrchestrator.Aws" or "OtaOrchestrator.DevicePlane" || project.StartsWith("AWSSDK.", StringComparison.Ordinal))
        {
            return;
        }
        var folder = Path.Combine(Repository.Root, "src", project);
        var users = Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Where(file => File.ReadLines(file).Any(line => line.StartsWith("using Amazon.", StringComparison.Ordinal)))
            .Select(file => Path.GetRelativePath(folder, file));
        // The composition hands the client over; the attack of the demo is an outsider with a stolen key.
        Assert.All(users, file => Assert.Matches("^(Hosting|Targets|Attack)/", file));
    }

    [Fact]
    public void Every_package_is_pinned_exactly()
    {
        var pins = XDocument.Load(Path.Combine(Repository.Root, "Directory.Packages.props")).Descendants("PackageVersion");
        Assert.All(pins, pin => Assert.Matches(@"^\[[0-9][^,\]]*\]$", (string)pin.Attribute("Version")!));
    }

    [Fact]
    public void Every_project_is_in_the_solution_and_has_its_lock_file()
    {
        var solution = Repository.Read("OtaOrchestrator.sln");
        var projects = new[] { "src", "tests", "tools" }
            .Select(folder => Path.Combine(Repository.Root, folder)).Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.csproj", SearchOption.AllDirectories));
        Assert.All(projects, project =>
        {
            Assert.Contains(Path.GetFileName(project), solution, StringComparison.Ordinal);
            Assert.True(File.Exists(Path.Combine(Path.GetDirectoryName(project)!, "packages.lock.json")), project + " has no lock file");
        });
    }

    private static XDocument Load(string project) =>
        XDocument.Load(Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), project + ".csproj", SearchOption.AllDirectories).Single());

    private static string Name(XElement reference) => Path.GetFileNameWithoutExtension((string)reference.Attribute("Include")!);
}
