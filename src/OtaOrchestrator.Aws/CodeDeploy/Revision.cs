using System.Collections.Specialized;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Web;
using Amazon.CodeDeploy;
using Amazon.CodeDeploy.Model;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.CodeDeploy;

/// <summary>
/// What a release is for CodeDeploy, its artifact <c>codedeploy</c>: for servers a bundle (<c>s3://bucket/key?bundleType=zip&amp;version=V&amp;eTag=E</c>), for Lambda a version of an alias
/// (<c>lambda:FUNCTION:ALIAS:VERSION</c>), for ECS a task definition and the container that gets the traffic (<c>ecs:TASK-DEFINITION-ARN#CONTAINER:PORT</c>).
/// </summary>
internal static class Revision
{
    public const string Artifact = "codedeploy";

    /// <summary>The revision that takes a group from one release to another.</summary>
    /// <exception cref="TargetException">A release has no such artifact, or one for another platform.</exception>
    public static RevisionLocation Of(ComputePlatform platform, TargetRelease from, TargetRelease to) => platform.Value switch
    {
        "Lambda" => Inline(ToLambda(Parts(to, "lambda"), Parts(from, "lambda"))),
        "ECS" => Inline(ToEcs(Text(to))),
        _ => InBucket(Text(to)),
    };

    /// <summary>Whether a deployment of this revision leaves the release running.</summary>
    public static bool Brings(RevisionLocation? revision, ComputePlatform platform, TargetRelease release)
    {
        if (revision?.RevisionType == RevisionLocationType.S3)
        {
            var wanted = InBucket(Text(release)).S3Location;
            return revision.S3Location is { } there && there.Bucket == wanted.Bucket && there.Key == wanted.Key && (wanted.Version ?? there.Version) == there.Version && (wanted.ETag ?? there.ETag) == there.ETag;
        }

        var text = revision?.AppSpecContent?.Content ?? revision?.String?.Content;
        try
        {
            var properties = JsonNode.Parse(text ?? "{}")?["Resources"]?[0]?.AsObject().FirstOrDefault().Value?["Properties"];
            return platform == ComputePlatform.Lambda
                ? properties is not null && Parts(release, "lambda") is var parts && (string?)properties["Name"] == parts[0] && (string?)properties["Alias"] == parts[1] && properties["TargetVersion"]?.ToString() == parts[2]
                : (string?)properties?["TaskDefinition"] == Task(Text(release)).Definition;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // YAML, or somebody's own: not one of ours.
            return false;
        }
    }

    private static string Text(TargetRelease release) => release.Artifacts.TryGetValue(Artifact, out var text)
        ? text
        : throw new TargetException($"{release} has no artifact for CodeDeploy: publish it with --artifact {Artifact}=URI");

    /// <summary>Function, alias and version.</summary>
    private static string[] Parts(TargetRelease release, string scheme) =>
        Text(release).Split(':') is [var named, { Length: > 0 } function, { Length: > 0 } alias, { Length: > 0 } version] && named == scheme && version.All(char.IsAsciiDigit)
            ? [function, alias, version]
            : throw new TargetException($"{Text(release)} is not lambda:FUNCTION:ALIAS:VERSION");

    private static JsonObject ToLambda(string[] to, string[] from) => to[0] != from[0] || to[1] != from[1]
        ? throw new TargetException($"{to[0]}:{to[1]} and {from[0]}:{from[1]} are two aliases: a deployment moves one")
        : Resource("function", "AWS::Lambda::Function", new JsonObject { ["Name"] = to[0], ["Alias"] = to[1], ["CurrentVersion"] = from[2], ["TargetVersion"] = to[2] });

    private static JsonObject ToEcs(string text)
    {
        var (definition, container, port) = Task(text);
        return Resource("TargetService", "AWS::ECS::Service", new JsonObject { ["TaskDefinition"] = definition, ["LoadBalancerInfo"] = new JsonObject { ["ContainerName"] = container, ["ContainerPort"] = port } });
    }

    private static (string Definition, string Container, int Port) Task(string text) =>
        text.StartsWith("ecs:arn:", StringComparison.Ordinal) && text["ecs:".Length..].Split('#') is [var definition, var fragment] && fragment.Split(':') is [{ Length: > 0 } container, var port]
        && int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? (definition, container, number)
            : throw new TargetException($"{text} is not ecs:TASK-DEFINITION-ARN#CONTAINER:PORT");

    private static JsonObject Resource(string name, string type, JsonObject properties) => new()
    {
        ["version"] = 0.0,
        ["Resources"] = new JsonArray(new JsonObject { [name] = new JsonObject { ["Type"] = type, ["Properties"] = properties } }),
    };

    private static RevisionLocation Inline(JsonObject appSpec) =>
        new() { RevisionType = RevisionLocationType.AppSpecContent, AppSpecContent = new AppSpecContent { Content = appSpec.ToJsonString() } };

    private static RevisionLocation InBucket(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme != "s3" || uri.AbsolutePath.Length < 2)
        {
            throw new TargetException($"{text} is not s3://bucket/key?bundleType=zip");
        }

        NameValueCollection query = HttpUtility.ParseQueryString(uri.Query);
        return new RevisionLocation
        {
            RevisionType = RevisionLocationType.S3,
            S3Location = new S3Location { Bucket = uri.Host, Key = Uri.UnescapeDataString(uri.AbsolutePath.TrimStart('/')), BundleType = query["bundleType"] ?? "zip", Version = query["version"], ETag = query["eTag"] },
        };
    }
}
