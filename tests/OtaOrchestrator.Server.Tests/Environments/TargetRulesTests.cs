using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Protocol.V1;
using OtaOrchestrator.Server.Environments;

namespace OtaOrchestrator.Server.Tests.Environments;

/// <summary>What is sent on to AWS is looked at before it is stored: nothing of it may be more than the name that it should be.</summary>
public sealed class TargetRulesTests
{
    [Fact]
    public void A_fleet_on_AWS_with_everything_is_taken() => Assert.Empty(Problems(Fleet()));

    [Theory]
    [InlineData("region", "eu central", "target.fleet.aws.region")]
    [InlineData("region", "", "target.fleet.aws.region")]
    [InlineData("bucket", "a/../b", "target.fleet.aws.firmwareBucket")]
    [InlineData("role", "arn:aws:iam::1:role/x", "target.fleet.aws.presignRoleArn")]
    [InlineData("role", "arn:aws:iam::111122223333:role/x\n", "target.fleet.aws.presignRoleArn")]
    [InlineData("version", "guess", "target.fleet.aws.versionFrom")]
    [InlineData("distribution", "", "target.fleet.aws.edge.distribution")]
    [InlineData("distribution", "E1/../E2", "target.fleet.aws.edge.distribution")]
    [InlineData("domain", "", "target.fleet.aws.edge.domain")]
    [InlineData("domain", "localhost", "target.fleet.aws.edge.domain")]
    [InlineData("domain", "fw.example.com/other?", "target.fleet.aws.edge.domain")]
    [InlineData("domain", "fw.example.com\n", "target.fleet.aws.edge.domain")]
    [InlineData("key", "K1&Expires=9", "target.fleet.aws.edge.keyPairId")]
    public void What_is_more_or_less_than_a_name_is_refused_by_its_field(string what, string value, string field)
    {
        var target = Fleet();
        var (place, edge) = (target.Fleet.Aws, target.Fleet.Aws.Edge);
        Action<string> set = what switch
        {
            "region" => text => place.Region = text,
            "bucket" => text => place.FirmwareBucket = text,
            "role" => text => place.PresignRoleArn = text,
            "version" => text => place.VersionFrom = text,
            "distribution" => text => edge.Distribution = text,
            "domain" => text => edge.Domain = text,
            _ => text => edge.KeyPairId = text,
        };
        set(value);
        Assert.Equal(field, Assert.Single(Problems(target)).Path);
    }

    [Fact]
    public void FreeRTOS_s_agent_is_given_its_links_by_AWS_alone()
    {
        var target = Fleet();
        target.Fleet.Aws.Agent = DeviceAgent.Freertos;
        Assert.Equal("target.fleet.aws.edge", Assert.Single(Problems(target)).Path);
        target.Fleet.Aws.Edge = null;
        Assert.Empty(Problems(target));
        target.Fleet.Aws.Agent = (DeviceAgent)9;
        Assert.Equal("target.fleet.aws.agent", Assert.Single(Problems(target)).Path);
    }

    private static List<PlanViolation> Problems(Target target)
    {
        var violations = new List<PlanViolation>();
        Assert.Equal(TargetKind.Fleet, TargetRules.Check(target, violations));
        return violations;
    }

    private static Target Fleet() => new()
    {
        Fleet = new FleetTarget
        {
            Fleet = "thermostats",
            Aws = new AwsIotPlace
            {
                Region = "eu-central-1", FirmwareBucket = "firmware", PresignRoleArn = "arn:aws:iam::111122223333:role/ota-presign",
                Edge = new FirmwareEdge { Distribution = "E2QWRUHAPOMQZL", Domain = "fw.example.com", KeyPairId = "K2JCJMDEHXQW5F" },
            },
        },
    };
}
