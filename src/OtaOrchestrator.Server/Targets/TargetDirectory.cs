using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using OtaOrchestrator.Aws.ApiGateway;
using OtaOrchestrator.Aws.Clients;
using OtaOrchestrator.Aws.CloudFront;
using OtaOrchestrator.Aws.CloudTrail;
using OtaOrchestrator.Aws.CodeDeploy;
using OtaOrchestrator.Aws.Lambda;
using OtaOrchestrator.Core.Ports;
using OtaOrchestrator.Server.Environments;
using OtaOrchestrator.Server.Reconciling;
using OtaOrchestrator.Server.Store;
using OtaOrchestrator.Server.Targets.Router;
using Wire = OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Server.Targets;

/// <summary>The adapter of each target, by what the environment says that it is there.</summary>
public sealed class TargetDirectory(Database database, FleetPlaces fleets, HttpClient routers, AwsClients aws, IOptions<AwsTargetsOptions> options, TimeProvider time) : ITargets
{
    private readonly ConcurrentDictionary<(string Environment, string Target), ITarget> _targets = new();
    /// <summary>Where CloudTrail keeps what is in no region, in AWS's main partition.</summary>
    private const string TrailOfTheEdge = "us-east-1";
    private readonly ConcurrentDictionary<string, TrailedChanges> _changes = new(StringComparer.Ordinal);

    public ITarget Of(string environment, string target)
    {
        var row = database.Read(db => Journal.Target(db, environment, target)) ?? throw new TargetException($"{target} does not exist in {environment}");
        var spec = EnvironmentService.Parse(row);
        // A fleet's place can change, and its adapters know what they have seen of it; any other target stays what it is.
        return spec.Fleet is { } fleet ? fleets.Of(fleet).Target : _targets.GetOrAdd((environment, target), _ => Traffic(spec));
    }

    private ITarget Traffic(Wire.Target spec)
    {
        return spec.KindCase switch
        {
            Wire.Target.KindOneofCase.Lambda => Alias(spec.Lambda),
            Wire.Target.KindOneofCase.CodeDeploy => new CodeDeployTarget(aws.CodeDeploy(spec.CodeDeploy.Region), spec.CodeDeploy.Application, spec.CodeDeploy.DeploymentGroup, time),
            Wire.Target.KindOneofCase.ApiGateway => new StageTarget(aws.ApiGateway(spec.ApiGateway.Region), spec.ApiGateway.RestApi, spec.ApiGateway.Stage, Changes(spec.ApiGateway.Region), time),
            Wire.Target.KindOneofCase.CloudFront => new CloudFrontTarget(aws.CloudFront(), spec.CloudFront.Distribution, Changes(TrailOfTheEdge), time),
            _ => new RouterTarget(routers, new Uri(spec.Router.AdminUrl), spec.Router.Route, time),
        };
    }

    private LambdaAliasTarget Alias(Wire.LambdaTarget alias) => new(
        aws.Lambda(alias.Region), alias.Function, alias.Alias, new LambdaMetrics(aws.CloudWatch(alias.Region), options.Value.MetricsPeriod, time), Changes(alias.Region), time);

    private TrailedChanges Changes(string region) => _changes.GetOrAdd(region, name => new TrailedChanges(aws.CloudTrail(name), time));
}
