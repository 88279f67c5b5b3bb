using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using OtaOrchestrator.AwsPolicies;

namespace OtaOrchestrator.Aws.Tests;

/// <summary>What an account has to grant, against what the code can call.</summary>
public sealed class PoliciesTests
{
    private static readonly IReadOnlyCollection<(string Service, string Operation)> Called = CalledOperations.Of(typeof(OtaOrchestrator.Aws.IoT.IotFleet).Assembly.Location);

    [Fact]
    public void Checked_in_policies_are_those_of_the_calls()
    {
        var files = PolicyFiles.Of(Called);
        Assert.Equal(files.Keys.Order(StringComparer.Ordinal), Directory.EnumerateFiles(Folder(), "*.json").Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.All(files, file => Assert.Equal(file.Value, File.ReadAllText(Path.Combine(Folder(), file.Key))));
    }

    [Fact]
    public void Every_call_is_granted_and_nothing_is_that_is_not_called()
    {
        var files = PolicyFiles.Of(Called).Values.ToList();
        var granted = files.SelectMany(Actions).Distinct();
        string[] beside = ["s3:GetObjectVersion", "s3:ListBucket", "cloudfront:CreateDistribution", "iam:PassRole", "iot:DeleteStream", "codedeploy:GetDeploymentConfig", "codedeploy:RegisterApplicationRevision", "codedeploy:GetApplicationRevision"];
        Assert.All(files.Select(Grants), grants => Assert.Equal(grants.Count, grants.Distinct().Count()));
        Assert.Equal(Called.Select(PolicyFiles.Permission).OfType<string>().Distinct().Order(), granted.Except(beside).Order());
        Assert.DoesNotContain(granted, action => action.Contains('*', StringComparison.Ordinal));
    }

    [Fact]
    public void What_nobody_wrote_down_is_refused_by_name()
    {
        var error = Assert.Throws<InvalidOperationException>(() => PolicyFiles.Of([.. Called, ("Amazon.Lambda", "DeleteFunction")]));
        Assert.Contains("DeleteFunction", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Each action with each of its resources.</summary>
    private static List<string> Grants(string policy) => [.. JsonNode.Parse(policy)!["Statement"]!.AsArray().SelectMany(statement =>
        statement!["Action"]!.AsArray().SelectMany(action => statement["Resource"]!.AsArray().Select(resource => $"{action} {resource}")))];

    private static IEnumerable<string> Actions(string policy) =>
        JsonNode.Parse(policy)!["Statement"]!.AsArray().SelectMany(statement => statement!["Action"]!.AsArray()).Select(action => (string)action!);

    private static string Folder([CallerFilePath] string source = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(source)!, "..", "..", "deploy", "iam"));
}
