namespace OtaOrchestrator.Aws.Tests.Doubles;

/// <summary>One account for all tests of a class, each with resources of its own name. It must have been understood all the time.</summary>
public sealed class SharedDoubles : IAsyncLifetime
{
    private int _names;

    internal AwsDoubles Aws { get; private set; } = null!;

    public string NextName() => $"api-{++_names}";

    public async ValueTask InitializeAsync() => Aws = await AwsDoubles.StartAsync();

    public async ValueTask DisposeAsync()
    {
        Assert.Empty(await Aws.ViolationsAsync());
        Assert.Empty(await Aws.BugsAsync());
        await Aws.DisposeAsync();
    }
}
