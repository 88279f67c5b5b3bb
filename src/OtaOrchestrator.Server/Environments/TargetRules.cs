using System.Text.RegularExpressions;
using OtaOrchestrator.Aws.IoT.Adoption;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Server.Environments;

/// <summary>What a target may be named by; nothing that fails here is stored, or sent to anybody.</summary>
internal static partial class TargetRules
{
    public static TargetKind Check(Target target, List<PlanViolation> violations)
    {
        switch (target.KindCase)
        {
            case Target.KindOneofCase.Router:
                if (!Uri.TryCreate(target.Router.AdminUrl, UriKind.Absolute, out var url) || url.Scheme != Uri.UriSchemeHttps || target.Router.AdminUrl.Length > 500)
                {
                    violations.Add(new PlanViolation("target.router.adminUrl", "is not an https address", "https://host:port"));
                }
                if (!Names.IsValid(target.Router.Route))
                {
                    violations.Add(new PlanViolation("target.router.route", $"{Names.Shown(target.Router.Route)} is not a name", Names.Rule));
                }
                return TargetKind.Traffic;
            case Target.KindOneofCase.Lambda:
                if (target.Lambda.Function.Length is 0 or > 170 || !target.Lambda.Function.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or ':'))
                {
                    violations.Add(new PlanViolation("target.lambda.function", $"{Names.Shown(target.Lambda.Function)} is neither a function's name nor its ARN"));
                }
                if (target.Lambda.Alias.Length is 0 or > 128 || target.Lambda.Alias.All(char.IsAsciiDigit) || !target.Lambda.Alias.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
                {
                    violations.Add(new PlanViolation("target.lambda.alias", $"{Names.Shown(target.Lambda.Alias)} is not an alias's name"));
                }
                Region(target.Lambda.Region, "target.lambda.region", violations);
                return TargetKind.Traffic;
            case Target.KindOneofCase.CodeDeploy:
                foreach (var (name, field) in ((string, string)[])[(target.CodeDeploy.Application, "application"), (target.CodeDeploy.DeploymentGroup, "deploymentGroup")])
                {
                    if (name.Length is 0 or > 100 || name.Any(c => char.IsControl(c) || c == '/'))
                    {
                        violations.Add(new PlanViolation($"target.codeDeploy.{field}", $"{Names.Shown(name)} has not 1 to 100 characters, none of them a slash"));
                    }
                }
                Region(target.CodeDeploy.Region, "target.codeDeploy.region", violations);
                return TargetKind.Traffic;
            case Target.KindOneofCase.ApiGateway:
                if (target.ApiGateway.RestApi.Length is 0 or > 32 || !target.ApiGateway.RestApi.All(char.IsAsciiLetterOrDigit))
                {
                    violations.Add(new PlanViolation("target.apiGateway.restApi", $"{Names.Shown(target.ApiGateway.RestApi)} is not an API's id"));
                }
                if (target.ApiGateway.Stage.Length is 0 or > 128 || !target.ApiGateway.Stage.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-'))
                {
                    violations.Add(new PlanViolation("target.apiGateway.stage", $"{Names.Shown(target.ApiGateway.Stage)} is not a stage's name"));
                }
                Region(target.ApiGateway.Region, "target.apiGateway.region", violations);
                return TargetKind.Traffic;
            case Target.KindOneofCase.CloudFront:
                if (target.CloudFront.Distribution.Length is 0 or > 32 || !target.CloudFront.Distribution.All(char.IsAsciiLetterOrDigit))
                {
                    violations.Add(new PlanViolation("target.cloudFront.distribution", $"{Names.Shown(target.CloudFront.Distribution)} is not a distribution's id", "for example E2QWRUHAPOMQZL"));
                }
                return TargetKind.Traffic;
            case Target.KindOneofCase.Fleet:
                if (!Names.IsValid(target.Fleet.Fleet))
                {
                    violations.Add(new PlanViolation("target.fleet.fleet", $"{Names.Shown(target.Fleet.Fleet)} is not a name", Names.Rule));
                }
                if (target.Fleet.HardwareIds.Count > 32 || target.Fleet.HardwareIds.Any(id => !Names.IsGroup(id) || id.Length > 64))
                {
                    violations.Add(new PlanViolation("target.fleet.hardwareIds", "are at most 32, each of letters, digits, hyphen and underscore"));
                }
                if (target.Fleet.Aws is { } place)
                {
                    At(place, violations);
                }
                return TargetKind.Fleet;
            default:
                violations.Add(new PlanViolation("target", "is no router, no fleet, no alias of a function, no deployment group, no distribution and no stage of an API"));
                return TargetKind.Traffic;
        }
    }

    private static void At(AwsIotPlace place, List<PlanViolation> violations)
    {
        if (VersionSource.Parse(place.VersionFrom) is null)
        {
            violations.Add(new PlanViolation("target.fleet.aws.versionFrom", $"{Names.Shown(place.VersionFrom)} is no source of a version", VersionSource.Rule));
        }
        if (place.Region.Length == 0)
        {
            violations.Add(new PlanViolation("target.fleet.aws.region", "is missing", "the links in devices' documents name it"));
        }
        Region(place.Region, "target.fleet.aws.region", violations);
        if (place.FirmwareBucket.Length is < 3 or > 63 || !place.FirmwareBucket.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.'))
        {
            violations.Add(new PlanViolation("target.fleet.aws.firmwareBucket", $"{Names.Shown(place.FirmwareBucket)} is not a bucket's name"));
        }
        if (place.PresignRoleArn.Length > 2048 || !Role().IsMatch(place.PresignRoleArn))
        {
            violations.Add(new PlanViolation("target.fleet.aws.presignRoleArn", $"{Names.Shown(place.PresignRoleArn)} is not the ARN of a role", "arn:aws:iam::111122223333:role/name"));
        }
        if (!Enum.IsDefined(place.Agent))
        {
            violations.Add(new PlanViolation("target.fleet.aws.agent", $"{(int)place.Agent} is no agent", "OTA or FREERTOS"));
        }
        if (place.Edge is { } edge)
        {
            At(edge, violations);
            if (place.Agent == DeviceAgent.Freertos)
            {
                violations.Add(new PlanViolation("target.fleet.aws.edge", "is nothing for FreeRTOS's agent: AWS IoT itself writes the links in its updates"));
            }
        }
    }

    private static void At(FirmwareEdge edge, List<PlanViolation> violations)
    {
        if (!Id(edge.Distribution))
        {
            violations.Add(new PlanViolation("target.fleet.aws.edge.distribution", $"{Names.Shown(edge.Distribution)} is not a distribution's id", "for example E2QWRUHAPOMQZL"));
        }
        if (edge.Domain.Length > 253 || !Domain().IsMatch(edge.Domain))
        {
            violations.Add(new PlanViolation("target.fleet.aws.edge.domain", $"{Names.Shown(edge.Domain)} is not a domain", "for example fw.example.com"));
        }
        if (!Id(edge.KeyPairId))
        {
            violations.Add(new PlanViolation("target.fleet.aws.edge.keyPairId", $"{Names.Shown(edge.KeyPairId)} is not a public key's id", "for example K2JCJMDEHXQW5F"));
        }

        static bool Id(string id) => id.Length is > 0 and <= 32 && id.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c));
    }

    private static void Region(string region, string field, List<PlanViolation> violations)
    {
        if (region.Length > 32 || !region.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'))
        {
            violations.Add(new PlanViolation(field, $"{Names.Shown(region)} is not a region", "for example eu-central-1; left out, the one of the SDK's chain"));
        }
    }

    [GeneratedRegex(@"\Aarn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+\z")]
    private static partial Regex Role();

    [GeneratedRegex(@"\A([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}\z")]
    private static partial Regex Domain();
}
