using OtaOrchestrator.Cli.Output;

namespace OtaOrchestrator.Cli.Demo.Backend;

/// <summary>Another router process takes over the sockets and the weights of the one that serves, under load; then a rollout is taken back through it.</summary>
internal static class RouterUpgradeAct
{
    /// <summary>Above the longest request or stream.</summary>
    public static readonly TimeSpan Grace = Traffic.StreamLength + TimeSpan.FromSeconds(12);

    public static async Task<(Told Told, RouterUpgrade Upgrade, Window During)> Play(Stage stage, DemoProgress progress, Told newest, RouterAddresses router, string baseline, CancellationToken cancellation)
    {
        progress.Begin("the router is upgraded: another process takes over from it");
        var old = stage.Child("router");
        var from = stage.Host.Time.GetUtcNow().ToUnixTimeMilliseconds();
        await Parts.StartRouter(stage, "router-next", baseline, router, Grace, cancellation);
        progress.Event($"process {stage.Child("router-next").Id} serves, {old.Id} finishes what it has");
        var code = await stage.Ended(old, Grace + TimeSpan.FromSeconds(10), cancellation);
        var during = new Window(from, stage.Host.Time.GetUtcNow().ToUnixTimeMilliseconds());
        progress.Event($"the old one has ended with {code}");
        var told = await Told.Back(stage, progress, newest.Rollout.Name, "shown to go back through the new router", cancellation);
        progress.Done($"{told.State} through the new router");
        return (told, new RouterUpgrade(told.State, code, 0, 0), during);
    }
}
