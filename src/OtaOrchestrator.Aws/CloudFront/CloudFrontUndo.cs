using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.CloudFront;

/// <summary>How a distribution is taken back by hand, with nothing but AWS's own command line.</summary>
public static class CloudFrontUndo
{
    /// <param name="quoted">Makes a word of a shell of any text.</param>
    public static IEnumerable<(string Comment, string Command)> Commands(string distribution, TargetRelease fallback, Func<string, string> quoted)
    {
        var (id, origin) = (quoted(distribution), EdgeOrigin.Of(fallback));
        // Python reads and writes the configuration: a shell would have to know its whole shape.
        const string Edit = """
            import json,sys; c=json.load(sys.stdin)["DistributionConfig"]; c["ContinuousDeploymentPolicyId"]=""
            for o in c["Origins"]["Items"]:
                if o["Id"]==c["DefaultCacheBehavior"]["TargetOriginId"]: o["DomainName"],o["OriginPath"]=sys.argv[1:3]
            json.dump(c,sys.stdout)
            """;
        yield return ($"all requests back to {fallback}: its origin for everybody, and no staging distribution beside it",
            $"config=\"$(mktemp)\" && tag=\"$(aws cloudfront get-distribution-config --id {id} --query ETag --output text)\" && aws cloudfront get-distribution-config --id {id} | python3 -c {quoted(Edit)} {quoted(origin.Host)} {quoted(origin.Path)} > \"$config\""
            + $" && aws cloudfront update-distribution --id {id} --if-match \"$tag\" --distribution-config \"file://$config\"");
        yield return ("wait until it has reached the edges", $"aws cloudfront wait distribution-deployed --id {id}");
    }
}
