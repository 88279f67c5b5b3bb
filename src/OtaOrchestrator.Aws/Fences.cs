using System.Collections.Concurrent;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws;

/// <summary>
/// The highest fence that was seen of each target. AWS knows none, so this process keeps out its own late calls: one that was left behind must not bring back what a later one took away.
/// </summary>
internal sealed class Fences
{
    private readonly ConcurrentDictionary<(string Environment, string Target), Fence> _seen = new();

    /// <exception cref="TargetException">The order is older than one that was carried out.</exception>
    public void Pass(TargetOrder order)
    {
        var newest = _seen.AddOrUpdate((order.Environment, order.Target), order.Fence, (_, seen) => seen > order.Fence ? seen : order.Fence);
        if (newest > order.Fence)
        {
            throw new TargetException($"the order of epoch {order.Fence.Epoch}, revision {order.Fence.Revision} for {order.Target} is older than one that was carried out");
        }
    }
}
