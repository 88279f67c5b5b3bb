using System.Runtime.CompilerServices;
using Amazon.IoT;
using Amazon.Runtime;
using Amazon.S3Control;
using OtaOrchestrator.Aws.Clients;
using OtaOrchestrator.Aws.Tests.IoT;

namespace OtaOrchestrator.Aws.Tests.Doubles;

/// <summary>An account on the doubles, set up as <c>deploy/terraform</c> sets one up; its AWS IoT is a device plane.</summary>
internal sealed class Account : IAsyncDisposable
{
    public const string Number = "111122223333";
    public const string Role = "ota-orchestrator";
    public const string Bucket = "ota-firmware";
    public const string PresignRole = "arn:aws:iam::111122223333:role/ota-presign";
    public const string Region = "eu-central-1";
    private readonly FleetFixture? _fleet;
    private readonly IotDouble? _iot;

    private Account(AwsDoubles aws, FleetFixture? fleet, IotDouble? iot)
    {
        (Aws, _fleet, _iot) = (aws, fleet, iot);
        Clients = new AwsClients(new AwsClientsOptions { CallsPerSecond = 1000, RetriesMax = 1 }, TimeProvider.System, Tailor);
    }

    public AwsDoubles Aws { get; }

    public AwsClients Clients { get; }

    /// <param name="devices">Whether the account has a fleet, <see cref="FleetFixture.Fleet"/>.</param>
    public static async Task<Account> EmptyAsync(bool devices = false)
    {
        var fleet = devices ? await FleetFixture.StartAsync() : null;
        return new(await AwsDoubles.StartAsync(), fleet, fleet is null ? null : await IotDouble.StartAsync(fleet));
    }

    public static async Task<Account> ReadyAsync()
    {
        var account = await EmptyAsync(devices: true);
        var aws = account.Aws;
        await aws.ActAsync("iam", "CreateRole", new { RoleName = Role, AssumeRolePolicyDocument = Trust("ecs-tasks.amazonaws.com") });
        foreach (var file in Directory.EnumerateFiles(Policies(), "*.json"))
        {
            var made = Path.GetFileNameWithoutExtension(file);
            await aws.ActAsync("iam", "CreatePolicy", new { PolicyName = made, PolicyDocument = Filled(await File.ReadAllTextAsync(file)) });
            await aws.ActAsync("iam", "AttachRolePolicy", new { RoleName = Role, PolicyArn = PolicyArn(made) });
        }

        await aws.ActAsync("iam", "CreateRole", new { RoleName = "ota-presign", AssumeRolePolicyDocument = Trust("iot.amazonaws.com") });
        await aws.ActAsync("iam", "PutRolePolicy", new { RoleName = "ota-presign", PolicyName = "read-firmware", PolicyDocument = Allow("s3:GetObject", $"arn:aws:s3:::{Bucket}/*") });
        await aws.ActAsync("s3", "CreateBucket", new { Bucket, ObjectLockEnabledForBucket = true });
        await aws.ActAsync("s3", "PutObjectLockConfiguration", new { Bucket, ObjectLockConfiguration = new { ObjectLockEnabled = "Enabled", Rule = new { DefaultRetention = new { Mode = "GOVERNANCE", Days = 30 } } } });
        await aws.ActAsync("s3control", "PutPublicAccessBlock", new { AccountId = Number, PublicAccessBlockConfiguration = Block(true) });
        await aws.ActAsync("cloudtrail", "CreateTrail", new { Name = "ota", S3BucketName = "ota-trail", IsMultiRegionTrail = true, EnableLogFileValidation = true });
        await aws.ActAsync("cloudtrail", "StartLogging", new { Name = "ota" });
        await aws.ActAsync("securityhub", "EnableSecurityHub", new { });
        await aws.ActAsync("accessanalyzer", "CreateAnalyzer", new { analyzerName = "account", type = "ACCOUNT" });
        await aws.AdminAsync("lambda/functions", new { name = "api", codes = new[] { "1" }, aliases = new { live = "1" } });
        return account;
    }

    public static object Block(bool on) => new { BlockPublicAcls = on, IgnorePublicAcls = on, BlockPublicPolicy = on, RestrictPublicBuckets = on };

    public static string PolicyArn(string name) => $"arn:aws:iam::{Number}:policy/{name}";

    public static string Allow(string action, string resource) => $$"""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"{{action}}","Resource":"{{resource}}"}]}""";

    public static string Trust(string service) => $$$"""{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["{{{service}}}"]} } }""";

    /// <summary>A shipped policy as this account fills it in.</summary>
    public static string Filled(string policy) => policy
        .Replace("${partition}", "aws", StringComparison.Ordinal).Replace("${region}", Region, StringComparison.Ordinal).Replace("${account}", Number, StringComparison.Ordinal)
        .Replace("${function}", "api", StringComparison.Ordinal).Replace("${code_bucket}", "builds", StringComparison.Ordinal)
        .Replace("${fleet}", FleetFixture.Fleet, StringComparison.Ordinal).Replace("${firmware_bucket}", Bucket, StringComparison.Ordinal).Replace("${presign_role_arn}", PresignRole, StringComparison.Ordinal)
        .Replace("${application}", "shop", StringComparison.Ordinal).Replace("${deployment_group}", "all", StringComparison.Ordinal).Replace("${rest_api}", "a1b2", StringComparison.Ordinal).Replace("${stage}", "prod", StringComparison.Ordinal);

    public static string Policies([CallerFilePath] string source = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(source)!, "..", "..", "..", "deploy", "iam"));

    /// <summary>Whoever looks writes nothing, and asks for nothing that a model forbids.</summary>
    public async Task OnlyReadAsync()
    {
        Assert.Empty(await Aws.ViolationsAsync());
        Assert.Empty(await Aws.BugsAsync());
        Assert.All((await Aws.CallsAsync()).Where(call => call.User == Role), call => Assert.Matches("^(Get|List|Describe|Simulate)", call.Operation));
    }

    public async ValueTask DisposeAsync()
    {
        Clients.Dispose();
        await Aws.DisposeAsync();
        if (_fleet is not null)
        {
            await _iot!.DisposeAsync();
            await _fleet.DisposeAsync();
        }
    }

    private void Tailor(ClientConfig config)
    {
        (config.DefaultAWSCredentials, config.ServiceURL, config.AuthenticationRegion) = (AwsDoubles.Operator, Aws.Url.ToString(), Region);
        if (config is AmazonS3ControlConfig)
        {
            // The account's number stands before the host, which has to be a name.
            config.ServiceURL = Aws.Url.ToString().Replace("127.0.0.1", "localhost", StringComparison.Ordinal);
        }

        if (config is AmazonIoTConfig)
        {
            _iot?.Tailor(config);
        }
    }
}
