namespace OtaOrchestrator.Router.Tests.Parts;

/// <summary>Two generations of a back end and a router in front of them, new for each test.</summary>
public abstract class World : TwoBackends
{
    internal TestRouter Router { get; set; } = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Router = await TestRouter.StartAsync(Pki);
    }

    public override async ValueTask DisposeAsync()
    {
        await Router.DisposeAsync();
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
