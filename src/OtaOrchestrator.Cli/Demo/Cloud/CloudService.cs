using System.Security.Cryptography;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Demo.Cloud;

/// <summary>A traffic target of AWS in the scenario.</summary>
/// <param name="Name">As AWS's command line calls the service.</param>
/// <param name="Old">What the release of the back end that users have is here; <paramref name="New"/> is the one that is to come.</param>
/// <param name="FirstShare">Of the plan's first step, percent: what the service can hold.</param>
/// <param name="Target">As the environment names it.</param>
/// <param name="Configuration">What serves users, as the account has it now.</param>
internal sealed record CloudService(string Name, string Old, string New, int FirstShare, Target Target, Func<CancellationToken, Task<string>> Configuration)
{
    private const string Function = "thermostat-api";
    private const string Shop = "thermostat-shop";
    private const string Alias = "live";

    /// <summary>Makes in the account what is there before anybody thinks of a rollout.</summary>
    public static async Task<IReadOnlyList<CloudService>> Make(CloudDoubles aws, CancellationToken cancellation)
    {
        await aws.Post("lambda/functions", $$$"""{"name":"{{{Function}}}","codes":["{{{Cast.ApiOld}}}"],"aliases":{"{{{Alias}}}":"1"}}""", cancellation);
        await aws.Post("lambda/functions", $$$"""{"name":"{{{Shop}}}","codes":["{{{Cast.ApiOld}}}","{{{Cast.ApiNew}}}"],"aliases":{"{{{Alias}}}":"1"}}""", cancellation);
        await aws.Act("codedeploy", "CreateApplication", $$$"""{"applicationName":"{{{Shop}}}","computePlatform":"Lambda"}""", cancellation);
        await aws.Act("codedeploy", "CreateDeploymentGroup", $$$"""{"applicationName":"{{{Shop}}}","deploymentGroupName":"all","serviceRoleArn":"arn:aws:iam::111122223333:role/codedeploy"}""", cancellation);
        await aws.Act("cloudfront", "CreateDistribution", $$$"""
            {"DistributionConfig":{"CallerReference":"demo","Comment":"","Enabled":true,
             "Origins":{"Quantity":1,"Items":[{"Id":"api","DomainName":"api.example.com","OriginPath":"/{{{Cast.ApiOld}}}","CustomOriginConfig":{"HTTPPort":80,"HTTPSPort":443,"OriginProtocolPolicy":"https-only"}}]},
             "DefaultCacheBehavior":{"TargetOriginId":"api","ViewerProtocolPolicy":"https-only","CachePolicyId":"4135ea2d-6df8-44a3-9df3-4b5a84be39ad"} } }
            """, cancellation);
        await aws.Act("apigateway", "CreateRestApi", """{"name":"thermostat"}""", cancellation);
        var api = (await aws.Snapshot("apigateway", cancellation))["apis"]!.AsObject().Single().Key;
        foreach (var version in (string[])[Cast.ApiOld, Cast.ApiNew])
        {
            await aws.Act("apigateway", "CreateDeployment", $$"""{"restApiId":"{{api}}","description":"{{version}}"}""", cancellation);
        }
        var deployments = (await aws.Snapshot("apigateway", cancellation))["apis"]![api]!["deployments"]!.AsObject().ToDictionary(one => (string)one.Value!["description"]!, one => one.Key);
        await aws.Act("apigateway", "CreateStage", $$"""{"restApiId":"{{api}}","stageName":"{{Alias}}","deploymentId":"{{deployments[Cast.ApiOld]}}"}""", cancellation);
        var distribution = (await aws.Snapshot("cloudfront", cancellation))["distributions"]!.AsObject().Single().Key;
        return
        [
            // What lies where the doubles have no bucket is known to them by its name.
            new("lambda", $"arn:aws:lambda:{IotAccount.Region}:111122223333:function:{Function}:1", $"s3://builds/api.zip?sha256={Convert.ToHexStringLower(SHA256.HashData("builds/api.zip//"u8))}", 10,
                new Target { Lambda = new LambdaTarget { Function = Function, Alias = Alias } }, token => Read("lambda", "functions", Function, "aliases", token)),
            new("codedeploy", $"lambda:{Shop}:{Alias}:1", $"lambda:{Shop}:{Alias}:2", 0,
                new Target { CodeDeploy = new CodeDeployTarget { Application = Shop, DeploymentGroup = "all" } }, token => Read("lambda", "functions", Shop, "aliases", token)),
            new("cloudfront", $"https://api.example.com/{Cast.ApiOld}", $"https://api.example.com/{Cast.ApiNew}", 15,
                new Target { CloudFront = new CloudFrontTarget { Distribution = distribution } }, token => Read("cloudfront", "distributions", distribution, "config", token)),
            new("apigateway", $"deployment:{deployments[Cast.ApiOld]}", $"deployment:{deployments[Cast.ApiNew]}", 10,
                new Target { ApiGateway = new ApiGatewayTarget { RestApi = api, Stage = Alias } }, token => Read("apigateway", "apis", api, "stages", token)),
        ];

        async Task<string> Read(string service, string kind, string id, string part, CancellationToken token) => (await aws.Snapshot(service, token))[kind]![id]![part]!.ToJsonString();
    }

    /// <summary>As anybody would write it, with bakes of seconds instead of hours: only the target's name and the first share differ from service to service.</summary>
    public string Plan(string name, string firmware) =>
        $$"""
        apiVersion: ota/v1
        kind: Plan
        name: {{name}}
        lanes:
        - name: api
          target: {{Cast.Api}}-{{Name}}
          release: {{Cast.Api}}@{{Cast.ApiNew}}
          steps:
          - { share: {{FirstShare}}%, bakeMin: 1s }
          - { share: 100%, bakeMin: 1s }
          checks:
          - { name: complaints, source: cloudwatch, alarm: {{CloudPlay.Alarm}}, interval: 500ms }
        - name: firmware
          target: {{Cast.Fleet}}
          release: {{Cast.Firmware}}@{{firmware}}
          needs: [{{Cast.Api}}-{{Name}} >= {{Cast.ApiNew}}]
          observeFor: 1s
          steps:
          - { share: 40%, bakeMin: 1s, reach: 1 }
          - { share: 100%, bakeMin: 1s }
          checks:
          - { name: health, source: devices, failuresMax: 5%, silentAfter: 20s, interval: 500ms }
        rollback: { untilAfter: 1h, shares: [1], undoWait: 20s }
        """;
}
