using OtaOrchestrator.Aws.Doctor;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Server.Environments;

/// <summary>An environment's targets as the doctor of AWS accounts knows them, and what it finds as callers are told.</summary>
internal static class AccountExamination
{
    /// <returns>Nothing for a target that is not on AWS.</returns>
    public static IEnumerable<Examined> Of(string name, Target target) => target switch
    {
        { Lambda: { } alias } => [new ExaminedAlias(name, alias.Region, alias.Function, alias.Alias)],
        { CodeDeploy: { } group } => [new ExaminedGroup(name, group.Region, group.Application, group.DeploymentGroup)],
        { ApiGateway: { } stage } => [new ExaminedStage(name, stage.Region, stage.RestApi, stage.Stage)],
        { CloudFront: { } edge } => [new ExaminedDistribution(name, edge.Distribution)],
        { Fleet: { Aws: { Edge: { } edge } place } fleet } => [Devices(name, fleet, place), new ExaminedFirmwareEdge(name, edge.Distribution)],
        { Fleet: { Aws: { } place } fleet } => [Devices(name, fleet, place)],
        _ => [],
    };

    private static ExaminedFleet Devices(string name, FleetTarget fleet, AwsIotPlace place) => new(name, place.Region, fleet.Fleet, place.FirmwareBucket, place.PresignRoleArn, place.Agent == DeviceAgent.Freertos);

    public static AwsAccountFinding Told(AccountFinding finding) => new()
    {
        Code = finding.Code,
        Verdict = finding.Verdict switch
        {
            AccountVerdict.Ok => AwsAccountFinding.Types.Verdict.Ok,
            AccountVerdict.Advice => AwsAccountFinding.Types.Verdict.Advice,
            AccountVerdict.Missing => AwsAccountFinding.Types.Verdict.Missing,
            _ => AwsAccountFinding.Types.Verdict.Unknown,
        },
        Subject = finding.Subject, Asked = finding.Asked, Text = finding.Text, Remedy = finding.Remedy,
    };
}
