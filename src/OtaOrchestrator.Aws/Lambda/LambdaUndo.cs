using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.Lambda;

/// <summary>How an alias is taken back by hand, with nothing but AWS's own command line.</summary>
public static class LambdaUndo
{
    /// <param name="quoted">Makes a word of a shell of any text.</param>
    public static IEnumerable<(string Comment, string Command)> Commands(string function, string alias, string region, TargetRelease fallback, Func<string, string> quoted)
    {
        var place = $"--function-name {quoted(function)}" + (region.Length > 0 ? $" --region {quoted(region)}" : "");
        var version = fallback.Artifacts.TryGetValue(LambdaCode.Artifact, out var artifact) && artifact.StartsWith("arn:", StringComparison.Ordinal)
            ? quoted(artifact.Split(':')[^1])
            : $"\"$(aws lambda list-versions-by-function {place} --query {quoted($"Versions[?Description=='{fallback} {fallback.Digest}'].Version | [0]")} --output text)\"";
        yield return ($"all requests back to {fallback}", $"aws lambda update-alias {place} --name {quoted(alias)} --function-version {version} --routing-config 'AdditionalVersionWeights={{}}'");
        yield return ("read it back: one version and no weights", $"aws lambda get-alias {place} --name {quoted(alias)}");
    }
}
