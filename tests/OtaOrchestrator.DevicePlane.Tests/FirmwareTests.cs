using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace OtaOrchestrator.DevicePlane.Tests;

public sealed class FirmwareTests
{
    private static readonly byte[] Image = RandomNumberGenerator.GetBytes(50_000);
    private static readonly string Digest = Convert.ToHexStringLower(SHA256.HashData(Image));

    [Fact]
    public async Task A_range_continues_a_download_and_a_bad_one_is_refused()
    {
        await using var bench = await PlaneBench.StartAsync();
        var (link, certificate) = await LinkAsync(bench);
        var http = bench.FirmwareClient(certificate);
        Assert.Equal(Image, await http.GetByteArrayAsync(link));

        using var resumed = await SendAsync(http, link, "bytes=40000-", $"\"{Digest}\"");
        Assert.Equal(HttpStatusCode.PartialContent, resumed.StatusCode);
        Assert.Equal(Image[40_000..], await resumed.Content.ReadAsByteArrayAsync());

        // Another image than the one that was begun: the whole of it.
        using var other = await SendAsync(http, link, "bytes=40000-", "\"other\"");
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);

        using var beyond = await SendAsync(http, link, "bytes=50000-");
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, beyond.StatusCode);
        using var many = await SendAsync(http, link, "bytes=" + string.Join(',', Enumerable.Range(0, 1000).Select(i => $"{i}-{i}")));
        Assert.Equal(HttpStatusCode.OK, many.StatusCode);
        // The server answers and closes while the rest is still being sent: the client sees the answer or the closed connection.
        HttpStatusCode? overlong = null;
        try
        {
            using var answer = await SendAsync(http, link, "bytes=" + string.Join(',', Enumerable.Range(0, 8000).Select(i => $"{i}-{i}")));
            overlong = answer.StatusCode;
        }
        catch (HttpRequestException error) when (error.InnerException is IOException)
        {
        }
        Assert.True(overlong is null or HttpStatusCode.RequestHeaderFieldsTooLarge, $"{overlong}");
        using var post = await http.PostAsync(link, new StringContent(""));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, post.StatusCode);
    }

    [Fact]
    public async Task A_link_serves_its_own_device_only_and_no_part_of_it_can_be_changed()
    {
        await using var bench = await PlaneBench.StartAsync();
        var (link, certificate) = await LinkAsync(bench);
        var own = bench.FirmwareClient(certificate);
        var other = bench.FirmwareClient(await bench.EnrollAsync("2"));
        using var foreign = await other.GetAsync(link);
        Assert.Equal(HttpStatusCode.Forbidden, foreign.StatusCode);
        using var taken = await other.GetAsync(link.Replace("thing=thermostats-1", "thing=thermostats-2", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.Forbidden, taken.StatusCode);
        var expires = link.Split("expires=")[1].Split('&')[0];
        using var prolonged = await own.GetAsync(link.Replace(expires, "9999999999", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.Forbidden, prolonged.StatusCode);
        using var unsigned = await own.GetAsync(link.Split("&signature")[0]);
        Assert.Equal(HttpStatusCode.Forbidden, unsigned.StatusCode);
        using var twice = await own.GetAsync(link + "&thing=thermostats-2");
        Assert.Equal(HttpStatusCode.Forbidden, twice.StatusCode);
        foreach (var path in new[] { "/firmware/..%2f..%2fdata%2flink-secret", "/firmware/", "/", "/firmware/" + Digest.ToUpperInvariant() })
        {
            using var strange = await own.GetAsync(new Uri(new Uri(link), path));
            Assert.Equal(HttpStatusCode.NotFound, strange.StatusCode);
        }

        File.Delete(Path.Combine(bench.FirmwareRoot, Digest));
        using var gone = await own.GetAsync(link);
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);

        await bench.RevokeAsync("thermostats-1");
        await File.WriteAllBytesAsync(Path.Combine(bench.FirmwareRoot, Digest), Image);
        using var revoked = await own.GetAsync(link);
        Assert.Equal(HttpStatusCode.Forbidden, revoked.StatusCode);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => bench.FirmwareClient(null).GetAsync(link));
    }

    [Fact]
    public async Task A_link_lives_its_own_time_whatever_the_clock_says_and_is_renewed_with_the_document()
    {
        var time = new JobsConformanceTests.SettableTime();
        await using var bench = await PlaneBench.StartAsync(time);
        var (link, certificate) = await LinkAsync(bench, seconds: 600);
        var http = bench.FirmwareClient(certificate);
        foreach (var jump in new[] { 2, -4 })
        {
            time.SetWall(TimeSpan.FromHours(jump));
            using var fine = await http.GetAsync(link);
            Assert.Equal(HttpStatusCode.OK, fine.StatusCode);
        }

        time.Advance(TimeSpan.FromSeconds(601));
        using var expired = await http.GetAsync(link);
        Assert.Equal(HttpStatusCode.Forbidden, expired.StatusCode);

        await using var device = await Device.ConnectAsync(bench, certificate, "thermostats-1");
        using var renewed = await http.GetAsync(LinkIn(await device.AcceptedAsync(device.Jobs + "$next/get", new { })));
        Assert.Equal(HttpStatusCode.OK, renewed.StatusCode);
    }

    [Fact]
    public async Task A_link_outlives_a_restart()
    {
        await using var bench = await PlaneBench.StartAsync(configure: Fixed(out var port));
        var (link, certificate) = await LinkAsync(bench);
        port.Value = bench.Plane.FirmwareEndpoint.Port;
        await bench.ReopenAsync();
        using var response = await bench.FirmwareClient(certificate).GetAsync(link);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    private static Action<DevicePlaneOptions> Fixed(out System.Runtime.CompilerServices.StrongBox<int> port)
    {
        var box = port = new System.Runtime.CompilerServices.StrongBox<int>(0);
        return o => o.FirmwareEndpoint = new IPEndPoint(IPAddress.Loopback, box.Value);
    }

    private static async Task<(string Link, X509Certificate2 Certificate)> LinkAsync(PlaneBench bench, int? seconds = null)
    {
        await File.WriteAllBytesAsync(Path.Combine(bench.FirmwareRoot, Digest), Image);
        var certificate = await bench.EnrollAsync("1");
        await using var device = await Device.ConnectAsync(bench, certificate, "thermostats-1");
        await JobsConformanceTests.CreateJobAsync(bench, "job-1", device, j =>
        {
            j.Document = PlaneBench.FirmwareDocument(Digest);
            j.PresignedUrlConfig = seconds is null ? null : new Amazon.IoT.Model.PresignedUrlConfig { ExpiresInSec = seconds };
        });
        return (LinkIn(await device.AcceptedAsync(device.Jobs + "start-next", new { })), certificate);
    }

    private static string LinkIn(Received answer) =>
        answer.Json.GetProperty("execution").GetProperty("jobDocument").GetProperty("afr_ota").GetProperty("files")[0].GetProperty("update_data_url").GetString()!;

    private static async Task<HttpResponseMessage> SendAsync(HttpClient http, string link, string range, string? ifRange = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, link);
        request.Headers.TryAddWithoutValidation("Range", range);
        if (ifRange is not null)
        {
            request.Headers.IfRange = new RangeConditionHeaderValue(ifRange);
        }

        return await http.SendAsync(request);
    }
}
