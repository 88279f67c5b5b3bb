using Amazon.Runtime;
using OtaOrchestrator.Aws.Clients;
using OtaOrchestrator.Aws.Controls;
using OtaOrchestrator.Aws.Tests.Doubles;

namespace OtaOrchestrator.Aws.Tests.Controls;

public sealed class ControlsTests : IAsyncLifetime
{
    private static readonly DateTimeOffset November = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;
    private Account _account = null!;

    private AwsDoubles Aws => _account.Aws;

    public async ValueTask InitializeAsync() => _account = await Account.EmptyAsync();

    public async ValueTask DisposeAsync()
    {
        await _account.OnlyReadAsync();
        await _account.DisposeAsync();
    }

    [Fact]
    public async Task Shipped_policies_cover_themselves_and_nothing_beyond()
    {
        Assert.Equal(Directory.EnumerateFiles(Account.Policies()).Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal), ShippedPolicies.All.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("lambda", ShippedPolicies.Granting("lambda:updatealias"));
        Assert.Null(ShippedPolicies.Granting("lambda:DeleteFunction"));
        Assert.True(ShippedPolicies.Cover("lambda:UpdateAlias", "arn:aws:lambda:eu-central-1:111122223333:function:api:*"));
        Assert.False(ShippedPolicies.Cover("lambda:UpdateAlias", "arn:aws:lambda:eu-central-1:111122223333:function:*"));
        Assert.False(ShippedPolicies.Cover("lambda:UpdateAlias", "*"));
        Assert.False(ShippedPolicies.Cover("lambda:*", "arn:aws:lambda:eu-central-1:111122223333:function:api"));
        await Aws.ActAsync("iam", "CreateRole", new { RoleName = Account.Role, AssumeRolePolicyDocument = Account.Trust("ecs-tasks.amazonaws.com") });
        foreach (var file in Directory.EnumerateFiles(Account.Policies()))
        {
            await Aws.ActAsync("iam", "PutRolePolicy", new { RoleName = Account.Role, PolicyName = Path.GetFileNameWithoutExtension(file), PolicyDocument = Account.Filled(await File.ReadAllTextAsync(file, _cancellation)) });
        }

        var reading = await new RolePolicies(_account.Clients.IdentityManagement(), TimeProvider.System).ReadAsync(Account.Role, _cancellation);
        Assert.Empty(reading.InExcess);
        Assert.True(reading.Complete);
        Assert.Equal(ShippedPolicies.All.Count, reading.Policies.Count);
    }

    [Theory]
    [InlineData("""{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}""", "s3:*", "*")]
    [InlineData("""{"Statement":[{"Effect":"Allow","Action":["lambda:UpdateAlias"],"Resource":["*"]}]}""", "lambda:UpdateAlias", "*")]
    [InlineData("""{"Statement":[{"Effect":"Allow","NotAction":["iam:*"],"Resource":"*"}]}""", "NotAction", "*")]
    [InlineData("""{"Statement":[{"Effect":"Allow","Action":"lambda:GetAlias","NotResource":"arn:aws:s3:::a"}]}""", "lambda:GetAlias", "NotResource")]
    [InlineData("""{"Statement":[{"Effect":"Allow","Action":"lambda:Get?lias","Resource":"arn:aws:lambda:eu-central-1:111122223333:function:api"}]}""", "lambda:Get?lias", "arn:aws:lambda:eu-central-1:111122223333:function:api")]
    public async Task What_a_role_may_do_beyond_is_named_with_the_policy_that_lets_it(string policy, string action, string resource)
    {
        await Aws.ActAsync("iam", "CreateRole", new { RoleName = "ops", AssumeRolePolicyDocument = Account.Trust("ecs-tasks.amazonaws.com") });
        await Aws.ActAsync("iam", "CreatePolicy", new { PolicyName = "wide", PolicyDocument = Account.Allow("lambda:GetAlias", "arn:aws:lambda:eu-central-1:111122223333:function:api") });
        await Aws.ActAsync("iam", "CreatePolicyVersion", new { PolicyArn = Account.PolicyArn("wide"), PolicyDocument = policy, SetAsDefault = true });
        await Aws.ActAsync("iam", "AttachRolePolicy", new { RoleName = "ops", PolicyArn = Account.PolicyArn("wide") });
        var reading = await new RolePolicies(_account.Clients.IdentityManagement(), TimeProvider.System).ReadAsync("ops", _cancellation);
        Assert.Equal([new ExcessPermission("wide", action, resource)], reading.InExcess);
        Assert.Equal([("wide", "v2")], reading.Policies);
    }

    [Fact]
    public async Task A_denial_grants_nothing_and_pages_are_read_to_the_end()
    {
        await Aws.ActAsync("iam", "CreateRole", new { RoleName = "ops", AssumeRolePolicyDocument = Account.Trust("ecs-tasks.amazonaws.com") });
        await Aws.ActAsync("iam", "PutRolePolicy", new { RoleName = "ops", PolicyName = "no", PolicyDocument = """{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}""" });
        for (int i = 0; i < 120; i++)
        {
            await Aws.ActAsync("iam", "PutRolePolicy", new { RoleName = "ops", PolicyName = $"p{i:000}", PolicyDocument = Account.Allow("ec2:RunInstances", "*") });
        }

        var reading = await new RolePolicies(_account.Clients.IdentityManagement(), TimeProvider.System).ReadAsync("ops", _cancellation);
        Assert.Equal(121, reading.Policies.Count);
        Assert.Equal(120, reading.InExcess.Count);
    }

    [Fact]
    public async Task A_trail_has_gaps_until_it_records_everything_in_a_way_that_shows_tampering()
    {
        var trails = new Trails(_account.Clients.CloudTrail(""), TimeProvider.System);
        Assert.Empty((await trails.ReadAsync(_cancellation)).Trails);
        await Aws.ActAsync("cloudtrail", "CreateTrail", new { Name = "ota", S3BucketName = "trail" });
        var bare = Assert.Single((await trails.ReadAsync(_cancellation)).Trails);
        Assert.Equal(["it is stopped", "it records eu-central-1 alone", "its files can be changed unseen: validation is off"], bare.Gaps);
        Assert.Null(bare.LastDelivery);
        await Aws.ActAsync("cloudtrail", "StartLogging", new { Name = "ota" });
        await Aws.ActAsync("cloudtrail", "UpdateTrail", new { Name = "ota", IsMultiRegionTrail = true, EnableLogFileValidation = true });
        var reading = await trails.ReadAsync(_cancellation);
        Assert.True(reading.Recorded);
        Assert.NotNull(reading.Trails[0].LastDelivery);
        await Aws.AdminAsync("cloudtrail/delivery", new { trail = "ota", error = "AccessDenied" });
        Assert.Equal(["it can't write to its bucket: AccessDenied"], (await trails.ReadAsync(_cancellation)).Trails[0].Gaps);
    }

    [Fact]
    public async Task Public_access_is_open_where_nothing_blocks_it()
    {
        var access = new PublicAccess(_account.Clients.S3Control(""), _account.Clients.S3(""), TimeProvider.System);
        Assert.Equal(4, (await access.OfAccountAsync(Account.Number, _cancellation)).Open.Count);
        await Aws.ActAsync("s3control", "PutPublicAccessBlock", new { AccountId = Account.Number, PublicAccessBlockConfiguration = new { BlockPublicAcls = true, IgnorePublicAcls = true, BlockPublicPolicy = false, RestrictPublicBuckets = true } });
        Assert.Equal(["BlockPublicPolicy"], (await access.OfAccountAsync(Account.Number, _cancellation)).Open);
        await Aws.ActAsync("s3control", "PutPublicAccessBlock", new { AccountId = Account.Number, PublicAccessBlockConfiguration = Account.Block(true) });
        Assert.Empty((await access.OfAccountAsync(Account.Number, _cancellation)).Open);
        await Aws.ActAsync("s3", "CreateBucket", new { Account.Bucket });
        Assert.Empty((await access.OfBucketAsync(Account.Bucket, _cancellation)).Open);
        await Aws.ActAsync("s3", "DeletePublicAccessBlock", new { Account.Bucket });
        Assert.Equal(4, (await access.OfBucketAsync(Account.Bucket, _cancellation)).Open.Count);
        await Assert.ThrowsAnyAsync<AmazonServiceException>(() => access.OfBucketAsync("another", _cancellation));
    }

    [Fact]
    public async Task Findings_of_Security_Hub_are_those_that_nobody_mended_from_a_severity_up()
    {
        var hub = new HubFindings(_account.Clients.SecurityHub(""), TimeProvider.System);
        Assert.False((await hub.ReadAsync("HIGH", null, _cancellation)).Enabled);
        await Aws.ActAsync("securityhub", "EnableSecurityHub", new { });
        await FindAsync("critical", "CRITICAL", November);
        await FindAsync("high", "HIGH", November.AddDays(10));
        await FindAsync("low", "LOW", November.AddDays(10));
        await FindAsync("mended", "CRITICAL", November.AddDays(10), workflow: "RESOLVED");
        await FindAsync("gone", "CRITICAL", November.AddDays(10), record: "ARCHIVED");
        Assert.Equal(["critical", "high"], (await hub.ReadAsync("HIGH", null, _cancellation)).Findings.Select(finding => finding.Id).Order());
        var since = await hub.ReadAsync("LOW", November.AddDays(5), _cancellation);
        Assert.Equal(["high", "low"], since.Findings.Select(finding => finding.Id).Order());
        var one = since.Findings.Single(finding => finding.Id == "high");
        Assert.Equal(("S3 buckets should be private", "HIGH", "arn:aws:s3:::open", November.AddDays(10), "NEW"), (one.Title, one.Severity, one.Resource, one.CreatedAt, one.Workflow));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => hub.ReadAsync("TERRIBLE", null, _cancellation));
    }

    [Fact]
    public async Task What_is_open_to_others_is_seen_once_somebody_looks()
    {
        var access = new OpenAccess(_account.Clients.AccessAnalyzer(""), TimeProvider.System);
        Assert.Empty((await access.ReadAsync(_cancellation)).Analyzers);
        await Aws.ActAsync("accessanalyzer", "CreateAnalyzer", new { analyzerName = "account", type = "ACCOUNT" });
        Assert.Empty((await access.ReadAsync(_cancellation)).Findings);
        for (int i = 0; i < 130; i++)
        {
            await Aws.AdminAsync("accessanalyzer/finding", new { analyzer = "account", resource = $"arn:aws:s3:::open-{i}" });
        }

        var reading = await access.ReadAsync(_cancellation);
        Assert.Equal((130, true), (reading.Findings.Count, reading.Complete));
        Assert.True(reading.Findings[0].Public);
    }

    [Fact]
    public async Task What_may_not_be_read_is_not_taken_for_good()
    {
        await Aws.FaultAsync(new AwsFault("deny", "cloudtrail", "DescribeTrails"));
        var denial = await Assert.ThrowsAnyAsync<AmazonServiceException>(() => new Trails(_account.Clients.CloudTrail(""), TimeProvider.System).ReadAsync(_cancellation));
        Assert.True(AwsFailures.IsDenial(denial));
        await Aws.FaultAsync(new AwsFault("deny", "securityhub", "GetFindings"));
        await Aws.ActAsync("securityhub", "EnableSecurityHub", new { });
        denial = await Assert.ThrowsAnyAsync<AmazonServiceException>(() => new HubFindings(_account.Clients.SecurityHub(""), TimeProvider.System).ReadAsync("HIGH", null, _cancellation));
        Assert.True(AwsFailures.IsDenial(denial));
    }

    private Task FindAsync(string id, string severity, DateTimeOffset at, string workflow = "NEW", string record = "ACTIVE") => Aws.ActAsync("securityhub", "BatchImportFindings", new
    {
        Findings = new[]
        {
            new
            {
                SchemaVersion = "2018-10-08", Id = id, ProductArn = "arn:aws:securityhub:eu-central-1::product/aws/securityhub", GeneratorId = "S3.8", AwsAccountId = Account.Number,
                CreatedAt = at.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture), UpdatedAt = "2026-11-20T00:00:00.000Z", Severity = new { Label = severity },
                Title = "S3 buckets should be private", Description = "A bucket is public", Resources = new[] { new { Type = "AwsS3Bucket", Id = "arn:aws:s3:::open" } },
                RecordState = record, Workflow = new { Status = workflow },
            },
        },
    });
}
