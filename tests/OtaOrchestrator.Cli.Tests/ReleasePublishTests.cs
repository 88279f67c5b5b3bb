using System.Text.Json;
using Grpc.Core;
using OtaOrchestrator.Cli.Tests.TestHost;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Tests;

public sealed class ReleasePublishTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(512 * 1024)]
    [InlineData(3 * 512 * 1024 + 7)]
    public async Task Image_arrives_whole_whatever_its_size(int bytes)
    {
        await using var server = await Autumn.Server();
        var image = Image(server, bytes);
        var run = await Run.Ota(server, "release", "publish", "thermostat-fw@3.0.0", "--file", image, "--json");
        Assert.Equal(0, run.ExitCode);
        var digest = "sha256:" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(await File.ReadAllBytesAsync(image)));
        Assert.Equal(digest, JsonDocument.Parse(run.Out).RootElement.GetProperty("digest").GetString());
    }

    [Fact]
    public async Task Stream_that_broke_is_sent_again_under_the_same_request_id()
    {
        await using var server = await Autumn.Server();
        server.Scene.FailAfter.Enqueue(new RpcException(new Status(StatusCode.Unavailable, "reset")));
        var run = await Run.Ota(server, "release", "publish", "thermostat-fw@3.0.0", "--file", Image(server, 1_500_000));
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Equal(1_500_000, Assert.Single(server.Scene.Published).Value);
    }

    [Fact]
    public async Task Wrong_hash_is_refused_as_an_invalid_image()
    {
        await using var server = await Autumn.Server();
        var run = await Run.Ota(server, "release", "publish", "thermostat-fw@3.0.0", "--file", Image(server, 100), "--sha256", new string('0', 64));
        Assert.Equal(8, run.ExitCode);
        Assert.False(server.Scene.Releases.ContainsKey("releases/thermostat-fw@3.0.0"));
    }

    [Fact]
    public async Task Opaque_image_is_protected_by_its_hash()
    {
        await using var server = await Autumn.Server();
        var image = Image(server, 100);
        Assert.Equal(0, (await Run.Ota(server, "release", "publish", "x@1", "--file", image, "--hardware", "a1", "--hardware", "a2")).ExitCode);
        Assert.Equal(["a1", "a2"], server.Scene.Releases["releases/x@1"].Firmware.HardwareIds);
    }

    [Fact]
    public async Task Missing_file_is_said()
    {
        await using var server = await Autumn.Server();
        var run = await Run.Ota(server, "release", "publish", "x@1", "--file", Path.Combine(server.Home, "none"));
        Assert.Equal(1, run.ExitCode);
        Assert.Equal("error: there is no file <home>/none\n", run.Error);
    }

    [Fact]
    public async Task Claim_key_is_in_its_file_for_its_owner_only_and_not_in_the_output()
    {
        await using var server = await Autumn.Server();
        var folder = Path.Combine(server.Home, "claim");
        var run = await Run.Ota(server, "device", "enroll", "thermostats", "--out", folder, "--json");
        Assert.Equal(0, run.ExitCode);
        Assert.DoesNotContain("SECRET", run.Out, StringComparison.Ordinal);
        Assert.Equal("SECRET", await File.ReadAllTextAsync(Path.Combine(folder, "claim.key")));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(folder, "claim.key")));
        }
    }

    private static string Image(TestServer server, int bytes)
    {
        var file = Path.Combine(server.Home, "image.img");
        var content = new byte[bytes];
        new Random(bytes).NextBytes(content);
        File.WriteAllBytes(file, content);
        return file;
    }
}
