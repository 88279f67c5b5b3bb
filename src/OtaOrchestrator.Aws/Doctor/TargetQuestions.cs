using Amazon.APIGateway.Model;
using Amazon.CloudFront.Model;
using Amazon.CodeDeploy.Model;
using Amazon.IoT.Model;
using Amazon.Lambda.Model;
using Amazon.S3.Model;
using OtaOrchestrator.Aws.Clients;
using OtaOrchestrator.Aws.Controls;
using OtaOrchestrator.Aws.IoT;
using OtaOrchestrator.Aws.IoT.Adoption;

namespace OtaOrchestrator.Aws.Doctor;

/// <summary>Whether what a target names is in the account, and as rollouts need it.</summary>
internal sealed class TargetQuestions(AwsClients aws, TimeProvider time)
{
    private const string MakingUpdates = "aws_iam_role_policy.updates in deploy/terraform/firmware.tf (freertos = true)";

    private RolePolicies Roles => new(aws.IdentityManagement(), time);

    public IEnumerable<Question> Of(Examined target) => target switch
    {
        ExaminedAlias alias => [Alias(alias)],
        ExaminedGroup group => [Group(group)],
        ExaminedStage stage => [Stage(stage)],
        ExaminedDistribution distribution => [Distribution(distribution)],
        ExaminedFirmwareEdge edge => [Edge(edge)],
        ExaminedFleet fleet =>
        [
            Index(fleet),
            Groups(fleet),
            Lock(fleet),
            Private(fleet),
            Trust(fleet),
            Presign(fleet),
            .. fleet.MakesUpdates ? [Updates(fleet)] : Array.Empty<Question>(),
        ],
        _ => throw new ArgumentOutOfRangeException(nameof(target), target, null),
    };

    private Question Alias(ExaminedAlias target) =>
        new("ALIAS", target.Name, "lambda:GetAlias", $"aws lambda create-alias --function-name {target.Function} --name {target.Alias} --function-version VERSION", async (question, cancellation) =>
        {
            var alias = await aws.Lambda(target.Region).GetAliasAsync(new GetAliasRequest { FunctionName = target.Function, Name = target.Alias }, cancellation);
            return alias.FunctionVersion == "$LATEST"
                ? question.Missing($"{target.Function}:{target.Alias} is of $LATEST, which can't be split", $"publish a version, and give it to the alias: aws lambda update-alias --function-name {target.Function} --name {target.Alias} --function-version VERSION")
                : question.Ok($"{target.Function}:{target.Alias} serves version {alias.FunctionVersion}");
        });

    private Question Group(ExaminedGroup target) =>
        new("DEPLOYMENT_GROUP", target.Name, "codedeploy:GetDeploymentGroup", "name an application and a deployment group that are there, or make them with aws deploy create-deployment-group", async (question, cancellation) =>
        {
            var group = (await aws.CodeDeploy(target.Region).GetDeploymentGroupAsync(new GetDeploymentGroupRequest { ApplicationName = target.Application, DeploymentGroupName = target.DeploymentGroup }, cancellation)).DeploymentGroupInfo;
            return group.DeploymentStyle?.DeploymentType == Amazon.CodeDeploy.DeploymentType.BLUE_GREEN
                ? question.Ok($"{target.Application}/{target.DeploymentGroup} deploys blue/green on {group.ComputePlatform}")
                : question.Missing($"{target.Application}/{target.DeploymentGroup} deploys in place", "aws deploy update-deployment-group --deployment-style deploymentType=BLUE_GREEN,deploymentOption=WITH_TRAFFIC_CONTROL");
        });

    private Question Stage(ExaminedStage target) =>
        new("STAGE", target.Name, "apigateway:GET", "name a REST API and a stage that are there: aws apigateway get-stages", async (question, cancellation) =>
        {
            var stage = await aws.ApiGateway(target.Region).GetStageAsync(new GetStageRequest { RestApiId = target.RestApi, StageName = target.Stage }, cancellation);
            return question.Ok($"{target.RestApi}/{target.Stage} serves deployment {stage.DeploymentId}");
        });

    private Question Distribution(ExaminedDistribution target) => OfCloudFront("DISTRIBUTION", target.Name, target.Distribution, (question, configuration) =>
        configuration.Staging == true ? question.Missing($"{target.Distribution} is a staging distribution", "name the primary distribution, the one that users ask")
        : configuration.Enabled != true ? question.Missing($"{target.Distribution} is disabled, so it serves nobody", "enable it")
        : question.Ok($"{target.Distribution} is enabled"));

    private Question Edge(ExaminedFirmwareEdge target) => OfCloudFront("FIRMWARE_EDGE", target.Name, target.Distribution, (question, configuration) =>
        configuration.Enabled != true ? question.Missing($"{target.Distribution} is disabled, so it hands out nothing", "enable it")
        : configuration.DefaultCacheBehavior?.TrustedKeyGroups?.Enabled != true ? question.Advice($"{target.Distribution} hands firmware out to everybody: it trusts no key group", "give its default behaviour the key group with the public key of --firmware-edge")
        : question.Ok($"{target.Distribution} hands firmware out to who has a signed link"));

    private Question OfCloudFront(string code, string subject, string distribution, Func<Question, DistributionConfig, AccountFinding> judged) =>
        new(code, subject, "cloudfront:GetDistributionConfig", "name a distribution that is there: aws cloudfront list-distributions", async (question, cancellation) =>
            judged(question, (await aws.CloudFront().GetDistributionConfigAsync(new GetDistributionConfigRequest { Id = distribution }, cancellation)).DistributionConfig));

    private Question Index(ExaminedFleet target) =>
        new("FLEET_INDEX", target.Name, "iot:GetIndexingConfiguration", null, async (question, cancellation) =>
        {
            var indexing = (await aws.IoT(target.Region).GetIndexingConfigurationAsync(new GetIndexingConfigurationRequest(), cancellation)).ThingIndexingConfiguration;
            var findings = IndexFindings.Of(indexing).ToList();
            return findings.Find(finding => finding.Blocks) is { } blocks ? question.Missing(blocks.Text, blocks.Remedy)
                : findings is [var first, ..] ? question.Advice(first.Text, first.Remedy)
                : question.Ok("the index covers the shadow ota and who is connected");
        });

    private Question Groups(ExaminedFleet target) =>
        new("FLEET_GROUPS", target.Name, "iot:DescribeThingGroup", $"ota adopt {target.Name} --mode drive makes the groups and takes the things in", async (question, cancellation) =>
        {
            foreach (var group in (string[])[target.Fleet, Waves.CohortsOf(target.Fleet)])
            {
                await aws.IoT(target.Region).DescribeThingGroupAsync(new DescribeThingGroupRequest { ThingGroupName = group }, cancellation);
            }

            return question.Ok($"{target.Fleet} and its cohorts are there");
        });

    private Question Lock(ExaminedFleet target) =>
        new("BUCKET_LOCK", target.Name, "s3:GetBucketObjectLockConfiguration", "make it by deploy/terraform/firmware.tf: a bucket has Object Lock from the beginning, or by AWS's support", async (question, cancellation) =>
        {
            var configuration = (await aws.S3(target.Region).GetObjectLockConfigurationAsync(new GetObjectLockConfigurationRequest { BucketName = target.FirmwareBucket }, cancellation)).ObjectLockConfiguration;
            return configuration?.Rule?.DefaultRetention is { } retention
                ? question.Ok($"{target.FirmwareBucket} keeps images for {(retention.Days > 0 ? $"{retention.Days} d" : $"{retention.Years} y")} ({retention.Mode})")
                : question.Advice($"{target.FirmwareBucket} can lock images, but does so by no rule of its own", "aws_s3_bucket_object_lock_configuration.firmware in deploy/terraform/firmware.tf");
        });

    private Question Private(ExaminedFleet target) =>
        new("BUCKET_PRIVATE", target.Name, "s3:GetBucketPublicAccessBlock", "make it by deploy/terraform/firmware.tf", async (question, cancellation) =>
        {
            var open = (await new PublicAccess(aws.S3Control(target.Region), aws.S3(target.Region), time).OfBucketAsync(target.FirmwareBucket, cancellation)).Open;
            return open.Count == 0 ? question.Ok($"{target.FirmwareBucket} can't become public")
                : question.Missing($"{target.FirmwareBucket} can become public: {string.Join(", ", open)} off", "aws_s3_bucket_public_access_block.firmware in deploy/terraform/firmware.tf");
        });

    private Question Trust(ExaminedFleet target) =>
        new("PRESIGN_TRUST", target.Name, "iam:GetRole", "aws_iam_role.presign in deploy/terraform/firmware.tf", async (question, cancellation) =>
        {
            var (_, trust) = await Roles.RoleAsync(RoleName(target), cancellation);
            return PolicyStatement.Parse(trust).Any(statement => statement.Services.Contains("iot.amazonaws.com")) ? question.Ok($"AWS IoT takes on {RoleName(target)}")
                : question.Missing($"{RoleName(target)} can't be taken on by iot.amazonaws.com, so no link is signed", "aws_iam_role.presign in deploy/terraform/firmware.tf");
        });

    private Question Presign(ExaminedFleet target) =>
        new("PRESIGN_READS", target.Name, "iam:SimulatePrincipalPolicy", "aws_iam_role.presign in deploy/terraform/firmware.tf", async (question, cancellation) =>
        {
            var partition = target.PresignRoleArn.Split(':') is [_, var given, ..] ? given : "aws";
            var denied = await new Permissions(aws.IdentityManagement()).DeniedAsync(target.PresignRoleArn, ["s3:GetObject"], [$"arn:{partition}:s3:::{target.FirmwareBucket}/*"], cancellation);
            return denied.Any() ? question.Missing($"{RoleName(target)} may not read {target.FirmwareBucket}, so its links lead nowhere", "aws_iam_role_policy.presign in deploy/terraform/firmware.tf")
                : question.Ok($"{RoleName(target)} may read {target.FirmwareBucket}");
        });

    private Question Updates(ExaminedFleet target) =>
        new("OTA_UPDATES", target.Name, "iam:SimulatePrincipalPolicy", MakingUpdates, async (question, cancellation) =>
        {
            var denied = await new Permissions(aws.IdentityManagement()).DeniedAsync(target.PresignRoleArn, ["iot:CreateJob", "iot:CreateStream"], ["*"], cancellation);
            return denied.ToList() is { Count: > 0 } missing ? question.Missing($"{RoleName(target)} may not {string.Join(", ", missing)}, so AWS IoT can make no OTA update in its name", MakingUpdates)
                : question.Ok($"AWS IoT can make OTA updates in the name of {RoleName(target)}");
        });

    private static string RoleName(ExaminedFleet target) => target.PresignRoleArn[(target.PresignRoleArn.LastIndexOf('/') + 1)..];
}
