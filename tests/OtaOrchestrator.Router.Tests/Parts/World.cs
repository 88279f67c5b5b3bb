namespace OtaOrchestrator.Router.Tests.Parts;

/// <summary>An authority, two generations of a back end and a router in front of them, new for each test.</summary>
public abstract class World : IAsyncLifetime
{
    internal Pki Pki { get; } = new();
    internal ToyBackend Old { get; private set; } = null!;
    internal ToyBackend New { get; private set; } = null!;
    internal TestRouter Router { get; set; } = null!;

    public virtual async ValueTask InitializeAsync()
    {
        Old = await ToyBackend.StartAsync(Pki, "5.0.3");
        New = await ToyBackend.StartAsync(Pki, "5.1.0");
        Router = await TestRouter.StartAsync(Pki);
    }

    public async ValueTask DisposeAsync()
    {
        await Router.DisposeAsync();
        await Old.DisposeAsync();
        await New.DisposeAsync();
        Pki.Dispose();
        GC.SuppressFinalize(this);
    }
}
