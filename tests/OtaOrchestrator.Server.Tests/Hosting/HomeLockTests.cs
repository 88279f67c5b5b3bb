using OtaOrchestrator.Server.Hosting;

namespace OtaOrchestrator.Server.Tests.Hosting;

public sealed class HomeLockTests
{
    [Fact]
    public async Task A_home_has_one_server_and_the_next_one_follows_when_it_has_gone()
    {
        var home = new Home(Directory.CreateTempSubdirectory("ota-lock-").FullName);
        var first = await HomeLock.TakeAsync(home, TimeProvider.System);
        Assert.Contains("another server", (await Assert.ThrowsAsync<IOException>(() => HomeLock.TakeAsync(home, TimeProvider.System))).Message, StringComparison.Ordinal);
        var waiting = HomeLock.TakeAsync(home, TimeProvider.System);
        first.Dispose();
        (await waiting).Dispose();
        Directory.Delete(home.Root, recursive: true);
    }
}
