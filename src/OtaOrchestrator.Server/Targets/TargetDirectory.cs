using System.Collections.Concurrent;
using OtaOrchestrator.Aws.IoT;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;
using OtaOrchestrator.Server.Environments;
using OtaOrchestrator.Server.Reconciling;
using OtaOrchestrator.Server.Store;
using OtaOrchestrator.Server.Targets.Router;

namespace OtaOrchestrator.Server.Targets;

/// <summary>The adapter of each target, by what the environment says that it is there.</summary>
public sealed class TargetDirectory(Database database, IotFleet fleet, HttpClient routers, TimeProvider time) : ITargets
{
    private readonly ConcurrentDictionary<(string Environment, string Target), ITarget> _targets = new();

    public ITarget Of(string environment, string target) => _targets.GetOrAdd((environment, target), key =>
    {
        var row = database.Read(db => Journal.Target(db, key.Environment, key.Target)) ?? throw new TargetException($"{key.Target} does not exist in {key.Environment}");
        var router = EnvironmentService.Parse(row).Router;
        return row.Kind == TargetKind.Fleet ? fleet : new RouterTarget(routers, new Uri(router.AdminUrl), router.Route, time);
    });
}
