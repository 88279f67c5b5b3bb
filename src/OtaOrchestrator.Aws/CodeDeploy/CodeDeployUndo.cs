using System.Text.Json.Nodes;
using Amazon.CodeDeploy;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.CodeDeploy;

/// <summary>How a deployment group is taken back by hand, with nothing but AWS's own command line.</summary>
public static class CodeDeployUndo
{
    /// <param name="quoted">Makes a word of a shell of any text.</param>
    public static IEnumerable<(string Comment, string Command)> Commands(string application, string group, string region, TargetOrder order, Func<string, string> quoted)
    {
        var place = $"--application-name {quoted(application)} --deployment-group-name {quoted(group)}" + (region.Length > 0 ? $" --region {quoted(region)}" : "");
        var at = region.Length > 0 ? $" --region {quoted(region)}" : "";
        yield return (
            "stop what is under way; CodeDeploy takes it back itself",
            $"for id in $(aws deploy list-deployments {place} --include-only-statuses Created Queued InProgress Baking Ready --query 'deployments[]' --output text); do aws deploy stop-deployment --deployment-id \"$id\" --auto-rollback-enabled{at}; done");
        if (RevisionOf(order) is { } revision)
        {
            yield return ($"if it had succeeded: deploy {order.Fallback} again", $"aws deploy create-deployment {place} --description {quoted($"undo {order.Rollout} by hand")} --revision {quoted(revision)}");
        }
    }

    /// <summary>As the command line takes it; the artifact says the platform.</summary>
    private static string? RevisionOf(TargetOrder order)
    {
        if (!order.Fallback.Artifacts.TryGetValue(Revision.Artifact, out var text))
        {
            return null;
        }

        var platform = text.StartsWith("lambda:", StringComparison.Ordinal) ? ComputePlatform.Lambda : text.StartsWith("ecs:", StringComparison.Ordinal) ? ComputePlatform.ECS : ComputePlatform.Server;
        var revision = Revision.Of(platform, order.Candidate, order.Fallback);
        var json = revision.S3Location is { } s3
            ? new JsonObject { ["revisionType"] = "S3", ["s3Location"] = new JsonObject(Set(("bucket", s3.Bucket), ("key", s3.Key), ("bundleType", s3.BundleType?.Value), ("version", s3.Version), ("eTag", s3.ETag))) }
            : new JsonObject { ["revisionType"] = "AppSpecContent", ["appSpecContent"] = new JsonObject { ["content"] = revision.AppSpecContent.Content } };
        return json.ToJsonString();
    }

    private static IEnumerable<KeyValuePair<string, JsonNode?>> Set(params (string Name, string? Value)[] members) =>
        members.Where(member => member.Value is not null).Select(member => KeyValuePair.Create(member.Name, (JsonNode?)member.Value));
}
