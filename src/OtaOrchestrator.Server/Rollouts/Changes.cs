using System.Collections.Concurrent;

namespace OtaOrchestrator.Server.Rollouts;

/// <summary>Wakes whoever watches a rollout. A slow watcher misses wake-ups, never the newest state.</summary>
public sealed class Changes
{
    private readonly ConcurrentDictionary<(string, string), TaskCompletionSource> _next = new();

    /// <summary>A task that ends at the next change. Take it before reading the state.</summary>
    public Task Next(string environment, string rollout) => _next.GetOrAdd((environment, rollout), _ => new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void Happened(string environment, string rollout)
    {
        if (_next.TryRemove((environment, rollout), out var waiting))
        {
            waiting.TrySetResult();
        }
    }
}
