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
        foreach (var (platform, revision) in Revisions(order))
        {
            yield return ($"if it had succeeded{(platform.Length > 0 ? ", on " + platform : "")}: deploy {order.Fallback} again", $"aws deploy create-deployment {place} --description {quoted($"undo {order.Rollout} by hand")} --revision {quoted(revision)}");
        }
    }

    /// <summary>The artifact says the platform.</summary>
    private static IEnumerable<(string Platform, string Json)> Revisions(TargetOrder order)
    {
        var text = order.Fallback.Artifacts.GetValueOrDefault(Revision.Artifact, "");
        var platform = text.StartsWith("lambda:", StringComparison.Ordinal) ? ComputePlatform.Lambda : text.StartsWith("ecs:", StringComparison.Ordinal) ? ComputePlatform.ECS : ComputePlatform.Server;
        if (text.Length == 0)
        {
            yield break;
        }

        var revision = Revision.Of(platform, order.Candidate, order.Fallback);
        yield return (platform.Value, revision.S3Location is { } s3
            ? System.Text.Json.JsonSerializer.Serialize(new { revisionType = "S3", s3Location = new { bucket = s3.Bucket, key = s3.Key, bundleType = s3.BundleType?.Value } })
            : System.Text.Json.JsonSerializer.Serialize(new { revisionType = "AppSpecContent", appSpecContent = new { content = revision.AppSpecContent.Content } }));
    }
}
