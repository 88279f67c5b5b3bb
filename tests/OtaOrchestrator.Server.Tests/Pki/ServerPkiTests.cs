using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;
using OtaOrchestrator.Server.Hosting;
using OtaOrchestrator.Server.Pki;

namespace OtaOrchestrator.Server.Tests.Pki;

public sealed class ServerPkiTests : IDisposable
{
    private readonly Home _home = new(Directory.CreateTempSubdirectory("ota-pki-").FullName);

    [Fact]
    public void First_start_makes_everything_and_later_starts_change_nothing()
    {
        using (new ServerPki(_home, TimeProvider.System))
        {
        }
        var before = Files();
        Assert.Subset(before.Keys.ToHashSet(),
            new HashSet<string> { "server-ca.crt", "operators-ca.crt", "devices-ca.crt", "server.crt", "router.crt", "orchestrator.crt", "admin.crt", "server-ca.key", "admin.key" });
        using (new ServerPki(_home, TimeProvider.System))
        {
        }
        Assert.Equal(before, Files());
    }

    [Fact]
    public void Private_keys_are_for_their_owner_alone()
    {
        using var pki = new ServerPki(_home, TimeProvider.System);
        pki.IssueOperator("rel-01");
        var keys = Directory.EnumerateFiles(_home.Root, "*.key", SearchOption.AllDirectories).ToList();
        Assert.True(keys.Count >= 8);
        Assert.All(keys, key => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key)));
    }

    [Fact]
    public void Only_the_operators_authority_vouches_for_operators()
    {
        using var pki = new ServerPki(_home, TimeProvider.System);
        using var other = Authority.Open(Directory.CreateTempSubdirectory("ota-pki-").FullName, "operators-ca", TimeProvider.System);
        var folder = Directory.CreateTempSubdirectory("ota-pki-").FullName;
        pki.Devices.Issue(folder, "device", "admin", Usage.Client, TimeSpan.FromDays(1));
        pki.Servers.Issue(folder, "server", "admin", Usage.Server, TimeSpan.FromDays(1));
        pki.Operators.Issue(folder, "usage", "admin", Usage.Server, TimeSpan.FromDays(1));
        other.Issue(folder, "stranger", "admin", Usage.Client, TimeSpan.FromDays(1));
        using var admin = PemFiles.Load(_home.Client, "admin");
        Assert.True(pki.IsOperator(admin));
        Assert.Equal("admin", admin.GetNameInfo(X509NameType.SimpleName, false));
        foreach (var name in (string[])["device", "server", "usage", "stranger"])
        {
            using var wrong = PemFiles.Load(folder, name);
            Assert.False(pki.IsOperator(wrong), name);
        }
    }

    [Fact]
    public void A_certificate_that_ran_out_is_not_accepted_and_a_server_renews_its_own_in_time()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddDays(-820));
        using (new ServerPki(_home, time))
        {
        }
        using var old = PemFiles.Load(_home.Client, "admin");
        var before = File.ReadAllText(Path.Combine(_home.Pki, "server.crt"));
        using var pki = new ServerPki(_home, TimeProvider.System);
        Assert.False(pki.IsOperator(old));
        using var admin = PemFiles.Load(_home.Client, "admin");
        Assert.True(pki.IsOperator(admin));
        Assert.NotEqual(before, File.ReadAllText(Path.Combine(_home.Pki, "server.crt")));
    }

    public void Dispose() => Directory.Delete(_home.Root, recursive: true);

    private Dictionary<string, string> Files() => Directory.EnumerateFiles(_home.Root, "*", SearchOption.AllDirectories)
        .GroupBy(file => Path.GetFileName(file)).ToDictionary(group => group.Key, group => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(group.First()))));
}
