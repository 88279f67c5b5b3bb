namespace OtaOrchestrator.Router.Hosting;

/// <summary>This life of the process. Counters are comparable within one only.</summary>
internal sealed record Instance(string Id, DateTimeOffset StartedAt)
{
    public static Instance New(TimeProvider time) => new(Guid.NewGuid().ToString("n"), time.GetUtcNow());
}
