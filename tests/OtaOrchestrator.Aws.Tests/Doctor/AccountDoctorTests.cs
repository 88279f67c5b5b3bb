using OtaOrchestrator.Aws.Doctor;
using OtaOrchestrator.Aws.Tests.Doubles;
using OtaOrchestrator.Aws.Tests.IoT;

namespace OtaOrchestrator.Aws.Tests.Doctor;

public sealed class AccountDoctorTests : IAsyncLifetime
{
    private static readonly Examined Api = new ExaminedAlias("api", "", "api", "live");
    private static readonly Examined Devices = new ExaminedFleet("thermostats", Account.Region, FleetFixture.Fleet, Account.Bucket, Account.PresignRole);
    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;
    private Account _account = null!;

    private AwsDoubles Aws => _account.Aws;

    public async ValueTask InitializeAsync() => _account = await Account.ReadyAsync();

    public async ValueTask DisposeAsync()
    {
        await _account.OnlyReadAsync();
        await _account.DisposeAsync();
    }

    [Fact]
    public async Task An_account_that_is_set_up_lacks_nothing()
    {
        var findings = await ExamineAsync(Api, Devices);
        Assert.All(findings, finding => Assert.True(finding is { Verdict: AccountVerdict.Ok, Remedy: "" }, finding.ToString()));
        Assert.Equal(
            [
                "CREDENTIALS account", "PERMISSIONS account", "PERMISSIONS account", "PERMISSIONS account", "PERMISSIONS api", "PERMISSIONS thermostats", "PERMISSIONS_IN_EXCESS account",
                "ALIAS api", "FLEET_INDEX thermostats", "FLEET_GROUPS thermostats", "BUCKET_LOCK thermostats", "BUCKET_PRIVATE thermostats", "PRESIGN_TRUST thermostats", "PRESIGN_READS thermostats",
                "PUBLIC_ACCESS account", "TRAIL eu-central-1", "SECURITY_HUB eu-central-1", "OPEN_ACCESS eu-central-1",
            ],
            findings.Select(finding => $"{finding.Code} {finding.Subject}"));
        Assert.Contains("assumed-role/ota-orchestrator", findings[0].Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("iam", "DetachRolePolicy", """{"RoleName":"ota-orchestrator","PolicyArn":"arn:aws:iam::111122223333:policy/lambda"}""", "PERMISSIONS", "api", AccountVerdict.Missing, "lambda:UpdateAlias", "deploy/iam/lambda.json")]
    [InlineData("iam", "DetachRolePolicy", """{"RoleName":"ota-orchestrator","PolicyArn":"arn:aws:iam::111122223333:policy/cloudwatch"}""", "PERMISSIONS", "account", AccountVerdict.Missing, "cloudwatch:GetMetricData", "deploy/iam/cloudwatch.json")]
    [InlineData("iam", "PutRolePolicy", """{"RoleName":"ota-orchestrator","PolicyName":"wide","PolicyDocument":"{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"}}"}""", "PERMISSIONS_IN_EXCESS", "account", AccountVerdict.Advice, "s3:*", "deploy/iam")]
    [InlineData("iam", "DeleteRolePolicy", """{"RoleName":"ota-presign","PolicyName":"read-firmware"}""", "PRESIGN_READS", "thermostats", AccountVerdict.Missing, "may not read ota-firmware", "aws_iam_role_policy.presign")]
    [InlineData("lambda", "UpdateAlias", """{"FunctionName":"api","Name":"live","FunctionVersion":"$LATEST"}""", "ALIAS", "api", AccountVerdict.Missing, "$LATEST", "publish a version")]
    [InlineData("lambda", "DeleteAlias", """{"FunctionName":"api","Name":"live"}""", "ALIAS", "api", AccountVerdict.Missing, "live", "create-alias")]
    [InlineData("s3", "DeletePublicAccessBlock", """{"Bucket":"ota-firmware"}""", "BUCKET_PRIVATE", "thermostats", AccountVerdict.Missing, "can become public", "aws_s3_bucket_public_access_block.firmware")]
    [InlineData("s3", "PutObjectLockConfiguration", """{"Bucket":"ota-firmware","ObjectLockConfiguration":{"ObjectLockEnabled":"Enabled"}}""", "BUCKET_LOCK", "thermostats", AccountVerdict.Advice, "no rule", "aws_s3_bucket_object_lock_configuration.firmware")]
    [InlineData("s3control", "DeletePublicAccessBlock", """{"AccountId":"111122223333"}""", "PUBLIC_ACCESS", "account", AccountVerdict.Missing, "BlockPublicAcls", "put-public-access-block")]
    [InlineData("cloudtrail", "StopLogging", """{"Name":"ota"}""", "TRAIL", "eu-central-1", AccountVerdict.Missing, "it is stopped", "trail.tf")]
    [InlineData("securityhub", "DisableSecurityHub", "{}", "SECURITY_HUB", "eu-central-1", AccountVerdict.Advice, "off", "enable-security-hub")]
    public async Task One_thing_that_is_missing_is_found_alone_with_its_remedy(string service, string operation, string parameters, string code, string subject, AccountVerdict verdict, string text, string remedy)
    {
        await Aws.ActAsync(service, operation, System.Text.Json.Nodes.JsonNode.Parse(parameters)!);
        var finding = Assert.Single(await ExamineAsync(Api, Devices), finding => finding.Verdict != AccountVerdict.Ok);
        Assert.Equal((code, subject, verdict), (finding.Code, finding.Subject, finding.Verdict));
        Assert.Contains(text, finding.Text, StringComparison.Ordinal);
        Assert.Contains(remedy, finding.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_makes_updates_for_FreeRTOS_needs_more_than_reading()
    {
        var devices = new ExaminedFleet("thermostats", Account.Region, FleetFixture.Fleet, Account.Bucket, Account.PresignRole, MakesUpdates: true);
        var finding = Assert.Single(await ExamineAsync(devices), finding => finding.Verdict != AccountVerdict.Ok);
        Assert.Equal(("OTA_UPDATES", AccountVerdict.Missing), (finding.Code, finding.Verdict));
        Assert.Contains("iot:CreateJob, iot:CreateStream", finding.Text, StringComparison.Ordinal);
        Assert.Contains("freertos = true", finding.Remedy, StringComparison.Ordinal);
        await Aws.ActAsync("iam", "PutRolePolicy", new { RoleName = "ota-presign", PolicyName = "make-updates", PolicyDocument = """{"Statement":{"Effect":"Allow","Action":["iot:CreateJob","iot:CreateStream"],"Resource":"*"}}""" });
        Assert.All(await ExamineAsync(devices), one => Assert.Equal(AccountVerdict.Ok, one.Verdict));
    }

    [Fact]
    public async Task Targets_that_are_not_there_are_named()
    {
        await Aws.ActAsync("codedeploy", "CreateApplication", new { applicationName = "shop" });
        await Aws.ActAsync("codedeploy", "CreateDeploymentGroup", new { applicationName = "shop", deploymentGroupName = "in-place", serviceRoleArn = "arn:aws:iam::111122223333:role/codedeploy" });
        var findings = await ExamineAsync(
            new ExaminedAlias("api", "", "arn:aws:lambda:eu-central-1:111122223333:function:other", "live"), new ExaminedGroup("gone", "", "shop", "gone"), new ExaminedGroup("shop", "", "shop", "in-place"),
            new ExaminedStage("edge", "", "a1b2", "prod"), new ExaminedDistribution("site", "EDFDVBD6EXAMPLE"), new ExaminedFleet("homes", "", "homes", "other", "arn:aws:iam::111122223333:role/nobody"));
        Assert.Equal(
            ["ALIAS api", "BUCKET_LOCK homes", "BUCKET_PRIVATE homes", "DEPLOYMENT_GROUP gone", "DEPLOYMENT_GROUP shop", "DISTRIBUTION site", "FLEET_GROUPS homes", "PRESIGN_READS homes", "PRESIGN_TRUST homes", "STAGE edge"],
            findings.Where(finding => finding is { Verdict: AccountVerdict.Missing, Code: not "PERMISSIONS" }).Select(finding => $"{finding.Code} {finding.Subject}").Order(StringComparer.Ordinal));
        Assert.All(findings.Where(finding => finding.Verdict == AccountVerdict.Missing), finding => Assert.NotEmpty(finding.Remedy));
        // The policies that the role has are of other places.
        Assert.Contains(findings, finding => finding is { Code: "PERMISSIONS", Subject: "api", Verdict: AccountVerdict.Missing });
    }

    [Fact]
    public async Task A_permission_that_is_missing_for_looking_is_named_and_nothing_is_taken_for_good()
    {
        await Aws.FaultAsync(new AwsFault("deny", "cloudtrail", "DescribeTrails", Times: 9));
        await Aws.FaultAsync(new AwsFault("deny", "iam", "SimulatePrincipalPolicy", Times: 99));
        var unknown = (await ExamineAsync(Api)).Where(finding => finding.Verdict != AccountVerdict.Ok).ToList();
        Assert.All(unknown, finding => Assert.Equal((AccountVerdict.Unknown, "attach deploy/iam/controls.json to the server's role (deploy/terraform/orchestrator.tf)"), (finding.Verdict, finding.Remedy)));
        Assert.Equal(["PERMISSIONS account", "PERMISSIONS account", "PERMISSIONS account", "PERMISSIONS api", "TRAIL eu-central-1"], unknown.Select(finding => $"{finding.Code} {finding.Subject}"));
        Assert.Contains("cloudtrail:DescribeTrails", unknown[^1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_account_that_is_throttled_or_broken_is_unknown_and_the_rest_is_looked_at()
    {
        await Aws.FaultAsync(new AwsFault("throttle", "iam", Times: 999));
        await Aws.FaultAsync(new AwsFault("error", "lambda", Times: 99));
        var findings = await ExamineAsync(TimeSpan.FromSeconds(2), Api);
        Assert.Equal(AccountVerdict.Unknown, Assert.Single(findings, finding => finding.Code == "ALIAS").Verdict);
        Assert.All(findings.Where(finding => finding.Asked.StartsWith("iam:", StringComparison.Ordinal)), finding => Assert.Equal(AccountVerdict.Unknown, finding.Verdict));
        Assert.Equal(AccountVerdict.Ok, Assert.Single(findings, finding => finding.Code == "TRAIL").Verdict);
    }

    [Fact]
    public async Task Whom_AWS_does_not_know_is_told_that_and_nothing_else()
    {
        await Aws.FaultAsync(new AwsFault("deny", "sts", Times: 9));
        var finding = Assert.Single(await ExamineAsync(Api, Devices));
        Assert.Equal(("CREDENTIALS", AccountVerdict.Missing), (finding.Code, finding.Verdict));
        Assert.Contains("AWS_ACCESS_KEY_ID", finding.Remedy, StringComparison.Ordinal);
    }

    private Task<IReadOnlyList<AccountFinding>> ExamineAsync(params Examined[] targets) => ExamineAsync(TimeSpan.FromMinutes(1), targets);

    private async Task<IReadOnlyList<AccountFinding>> ExamineAsync(TimeSpan patience, params Examined[] targets) =>
        await new AccountDoctor(_account.Clients, TimeProvider.System) { Patience = patience }.ExamineAsync(targets, _cancellation).ToListAsync(_cancellation);
}
