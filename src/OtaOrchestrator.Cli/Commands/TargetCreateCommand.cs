using System.CommandLine;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class TargetCreateCommand
{
    public static Command Create(CliHost host)
    {
        var name = new Argument<string>("name") { Description = "The target's name in plans." };
        var router = new Option<string?>("--router") { Description = "A traffic target: the router's admin address.", HelpName = "URL" };
        var route = new Option<string?>("--route") { Description = "The route on the router; the target's name when left out.", HelpName = "NAME" };
        var fleet = new Option<string?>("--fleet") { Description = "A fleet target: the name of the fleet's thing group.", HelpName = "NAME" };
        var lambda = new Option<string?>("--lambda") { Description = "A traffic target on AWS: an alias of a Lambda function.", HelpName = "FUNCTION:ALIAS" };
        var group = new Option<string?>("--codedeploy") { Description = "A traffic target on AWS: a deployment group of CodeDeploy.", HelpName = "APPLICATION/GROUP" };
        var edge = new Option<string?>("--cloudfront") { Description = "A traffic target on AWS: a distribution of CloudFront.", HelpName = "DISTRIBUTION" };
        var stage = new Option<string?>("--apigateway") { Description = "A traffic target on AWS: a stage of a REST API of API Gateway.", HelpName = "API/STAGE" };
        var region = new Option<string?>("--region") { Description = "The AWS region; the one of the SDK's chain when left out, which a fleet's must not be.", HelpName = "REGION" };
        var bucket = new Option<string?>("--firmware-bucket") { Description = "The fleet is registered with AWS IoT: the bucket from which its devices fetch firmware.", HelpName = "BUCKET" };
        var role = new Option<string?>("--presign-role") { Description = "The role by which AWS IoT signs links into that bucket.", HelpName = "ARN" };
        var firmwareEdge = IotPlaceOptions.Edge();
        var agent = IotPlaceOptions.Agent();
        var hardware = new Option<string[]>("--hardware") { Description = "Hardware ids in the fleet.", HelpName = "ID" };
        var release = new Option<string?>("--release") { Description = "The release that it is on now.", HelpName = "NAME@VERSION" };
        return new Command("create", "Say what a target is in this environment: a router's route, an alias of a function, a deployment group, a distribution, a stage of an API, or a fleet.") { name, router, route, lambda, group, edge, stage, region, fleet, bucket, role, firmwareEdge, agent, hardware, release }.Does(host, async session =>
        {
            var admin = session.Get(router);
            var things = session.Get(fleet);
            var deployment = session.Get(group);
            var function = session.Get(lambda);
            var distribution = session.Get(edge);
            var canary = session.Get(stage);
            if (new[] { admin, things, function, deployment, distribution, canary }.Count(given => given is not null) != 1)
            {
                throw new CliFailure(ExitCode.Usage, "one of --router URL, --lambda FUNCTION:ALIAS, --codedeploy APPLICATION/GROUP, --cloudfront DISTRIBUTION, --apigateway API/STAGE and --fleet NAME");
            }
            var target = new Target { CurrentRelease = session.Get(release) is { } current ? ResourceName.Release(current) : "" };
            if (admin is not null)
            {
                target.Router = new RouterTarget { AdminUrl = admin, Route = session.Get(route) ?? session.Required(name) };
            }
            else if (function is not null)
            {
                // A function may be an ARN, with colons of its own.
                int colon = function.LastIndexOf(':');
                target.Lambda = colon > 0 ? new LambdaTarget { Function = function[..colon], Alias = function[(colon + 1)..], Region = session.Get(region) ?? "" }
                    : throw new CliFailure(ExitCode.Usage, $"--lambda {function} names no alias", "FUNCTION:ALIAS");
            }
            else if (canary is not null)
            {
                target.ApiGateway = canary.Split('/') is [{ Length: > 0 } api, { Length: > 0 } named] ? new ApiGatewayTarget { RestApi = api, Stage = named, Region = session.Get(region) ?? "" }
                    : throw new CliFailure(ExitCode.Usage, $"--apigateway {canary} is not an API and its stage", "API/STAGE");
            }
            else if (distribution is not null)
            {
                target.CloudFront = new CloudFrontTarget { Distribution = distribution };
            }
            else if (deployment is not null)
            {
                target.CodeDeploy = deployment.Split('/') is [{ Length: > 0 } application, { Length: > 0 } named] ? new CodeDeployTarget { Application = application, DeploymentGroup = named, Region = session.Get(region) ?? "" }
                    : throw new CliFailure(ExitCode.Usage, $"--codedeploy {deployment} is not an application and its group", "APPLICATION/GROUP");
            }
            else
            {
                target.Fleet = new FleetTarget { Fleet = things, HardwareIds = { session.Get(hardware) ?? [] } };
                if (session.Get(bucket) is not null || session.Get(role) is not null || session.Get(region) is not null)
                {
                    target.Fleet.Aws = new AwsIotPlace { Region = session.Get(region) ?? "", FirmwareBucket = session.Get(bucket) ?? "", PresignRoleArn = session.Get(role) ?? "", Edge = IotPlaceOptions.EdgeOf(session.Get(firmwareEdge)), Agent = IotPlaceOptions.AgentOf(session.Get(agent)) };
                }
            }
            var request = new CreateTargetRequest { Parent = await ResourceName.Context(session), TargetId = session.Required(name), Target = target, RequestId = Arguments.NewRequestId() };
            var answer = await session.Api.Call((api, options) => api.Environments.CreateTargetAsync(request, options), session.Cancellation);
            session.Report.Answer(answer, () => TargetView.Lines(answer, host.Time.GetUtcNow()));
            return ExitCode.Ok;
        });
    }
}
