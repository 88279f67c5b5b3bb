namespace OtaOrchestrator.Router.Tests.Parts;

/// <summary>An authority and two generations of a back end, new for each test.</summary>
public abstract class TwoBackends : IAsyncLifetime
{
    internal Pki Pki { get; } = new();
    internal ToyBackend Old { get; private set; } = null!;
    internal ToyBackend New { get; private set; } = null!;

    public virtual async ValueTask InitializeAsync()
    {
        Old = await ToyBackend.StartAsync(Pki, "5.0.3");
        New = await ToyBackend.StartAsync(Pki, "5.1.0");
    }

    public virtual async ValueTask DisposeAsync()
    {
        await Old.DisposeAsync();
        await New.DisposeAsync();
        Pki.Dispose();
        GC.SuppressFinalize(this);
    }
}
