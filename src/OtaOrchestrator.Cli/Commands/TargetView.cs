using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class TargetView
{
    public static IEnumerable<string> Lines(Target target, DateTimeOffset now)
    {
        yield return Terminal.Clean($"{ResourceName.Last(target.Name)}  {Kind(target)}");
        yield return Terminal.Clean($"  on        {Current(target)}");
        if (target.Fleet is { } fleet)
        {
            yield return Terminal.Clean($"  fleet     {fleet.Fleet}, {Say.Plural(fleet.Devices, "device")}, hardware {string.Join(" ", fleet.HardwareIds)}");
            if (fleet.Aws is { } place)
            {
                yield return Terminal.Clean($"  at        AWS IoT in {place.Region}, firmware in {place.FirmwareBucket}{(place.Edge is { } before ? $", handed out by {before.Domain}" : "")}{(place.Agent == DeviceAgent.Freertos ? ", taken by FreeRTOS's agent" : "")}");
            }
            yield return $"  seen      {Say.Ago(fleet.LastCheckIn, now)}";
        }
        if (target.Router is { } router)
        {
            yield return Terminal.Clean($"  router    {router.AdminUrl} route {router.Route}");
        }
        if (target.Lambda is { } lambda)
        {
            yield return Terminal.Clean($"  lambda    {lambda.Function}:{lambda.Alias}{(lambda.Region.Length > 0 ? " in " + lambda.Region : "")}");
        }
        if (target.CodeDeploy is { } deploy)
        {
            yield return Terminal.Clean($"  deploys   {deploy.Application}/{deploy.DeploymentGroup}{(deploy.Region.Length > 0 ? " in " + deploy.Region : "")}");
        }
        if (target.CloudFront is { } edge)
        {
            yield return Terminal.Clean($"  edge      {edge.Distribution}");
        }
        if (target.ApiGateway is { } stage)
        {
            yield return Terminal.Clean($"  stage     {stage.RestApi}/{stage.Stage}{(stage.Region.Length > 0 ? " in " + stage.Region : "")}");
        }
        if (target.ActiveRollout.Length > 0)
        {
            yield return Terminal.Clean($"  rollout   {ResourceName.Last(target.ActiveRollout)}");
        }
    }

    public static string Kind(Target target) => target.KindCase switch
    {
        Target.KindOneofCase.Fleet => "fleet",
        Target.KindOneofCase.Router => "router",
        Target.KindOneofCase.Lambda => "lambda",
        Target.KindOneofCase.CodeDeploy => "codedeploy",
        Target.KindOneofCase.CloudFront => "cloudfront",
        Target.KindOneofCase.ApiGateway => "apigateway",
        _ => "unknown",
    };

    public static string Current(Target target) => target.CurrentRelease.Length > 0 ? ResourceName.Last(target.CurrentRelease) : "-";
}
