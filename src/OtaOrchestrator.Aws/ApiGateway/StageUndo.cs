using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.ApiGateway;

/// <summary>How a stage is taken back by hand, with nothing but AWS's own command line.</summary>
public static class StageUndo
{
    /// <param name="quoted">Makes a word of a shell of any text.</param>
    public static IEnumerable<(string Comment, string Command)> Commands(string api, string stage, string region, TargetRelease fallback, Func<string, string> quoted)
    {
        var place = $"--rest-api-id {quoted(api)} --stage-name {quoted(stage)}" + (region.Length > 0 ? $" --region {quoted(region)}" : "");
        yield return ($"all requests back to {fallback}", $"aws apigateway update-stage {place} --patch-operations op=replace,path=/deploymentId,value={StageTarget.DeploymentOf(fallback)} op=remove,path=/canarySettings");
        yield return ("read it back: one deployment and no canary", $"aws apigateway get-stage {place} --query '[deploymentId,canarySettings]'");
    }
}
