using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Grpc.Core;
using OtaOrchestrator.Protocol.V1;
using OtaOrchestrator.Server.Pki;
using OtaOrchestrator.Server.Tests.Scenes;
using Head = OtaOrchestrator.Protocol.V1.PublishReleaseRequest.Types.Head;

namespace OtaOrchestrator.Server.Tests.Releases;

/// <summary>Images come in as a stream of messages or as the body of one request; whichever way, the same is accepted and the same refused.</summary>
public sealed class PublishingTests(PublishingTests.Shared shared) : IClassFixture<PublishingTests.Shared>
{
    private static int _names;
    private readonly RunningServer _server = shared.Server;
    private readonly string _name = $"fw-{Interlocked.Increment(ref _names)}";

    public enum Way { Messages, Body }

    private Client Admin => _server.Admin;

    [Theory]
    [InlineData(Way.Messages)]
    [InlineData(Way.Body)]
    public async Task Firmware_is_checked_signed_and_stored_under_its_digest(Way way)
    {
        var image = Client.Image(_name, "1.0", bytes: 3_000_000);
        var published = await Publish(way, "1.0", image);
        Assert.Equal("sha256:" + Convert.ToHexStringLower(SHA256.HashData(image)), published.Digest);
        Assert.Equal((["thermo-a1"], "admin", (long)image.Length), (published.Firmware.HardwareIds, published.Publisher, published.Firmware.Size));
        Assert.Equal(image, await File.ReadAllBytesAsync(Path.Combine(_server.Home.Firmware, published.Digest[7..])));
        Assert.True((await Admin.Releases.VerifyReleaseAsync(new() { Name = published.Name })).Intact);
        Assert.Equal(published, await Publish(way, "1.0", image));
        Assert.Equal("ALREADY_EXISTS", (await Refused.By(() => Publish(way, "1.0", Client.Image(_name, "1.0", bytes: 2000)))).Reason);
    }

    [Theory]
    [InlineData(Way.Messages)]
    [InlineData(Way.Body)]
    public async Task Damaged_tampered_cut_off_and_mislabelled_images_are_refused_and_leave_nothing(Way way)
    {
        var image = Client.Image(_name, "1.0");
        var tampered = (byte[])image.Clone();
        tampered[image.Length / 2] ^= 1;
        var files = Directory.GetFiles(_server.Home.Firmware).Order().ToList();
        (string Case, Func<Task> Call)[] cases =
        [
            ("empty", () => Publish(way, "1.0", [], size: 0)),
            ("tampered", () => Publish(way, "1.0", tampered)),
            ("cut off", () => Publish(way, "1.0", image[..^100], size: image.Length)),
            ("shorter than its header says", () => Publish(way, "1.0", image[..^100])),
            ("longer than announced", () => Publish(way, "1.0", image, size: image.Length - 10)),
            ("with bytes after its end", () => Publish(way, "1.0", [.. image, 0])),
            ("of another version", () => Publish(way, "2.0", image)),
            ("of another digest", () => Publish(way, "1.0", image, sha256: new string('0', 64))),
            ("no image", () => Publish(way, "1.0", "hello"u8.ToArray())),
            ("far too large", () => Publish(way, "1.0", image, size: 5L * 1024 * 1024 * 1024)),
        ];
        foreach (var (what, call) in cases)
        {
            var refused = await Refused.By(call);
            Assert.True(refused.Code == StatusCode.InvalidArgument && refused.Reason is "IMAGE_REFUSED" or "INVALID", $"{what}: {refused}");
        }
        Assert.Equal("NOT_FOUND", (await Refused.By(async () => await Admin.Releases.GetReleaseAsync(new() { Name = $"releases/{_name}@1.0" }))).Reason);
        Assert.Equal(files, Directory.GetFiles(_server.Home.Firmware).Order());
        await Condition.Holds(() => Directory.GetFiles(_server.Home.Uploads).Length == 0);
    }

    [Theory]
    [InlineData(Way.Messages)]
    [InlineData(Way.Body)]
    public async Task A_repeated_request_gets_the_first_answer_by_either_way_and_another_under_its_id_is_refused(Way way)
    {
        var image = Client.Image(_name, "1.0");
        var id = Guid.NewGuid().ToString();
        var first = await Publish(way, "1.0", image, requestId: id);
        Assert.Equal(first, await Publish(Way.Messages, "1.0", image, requestId: id));
        Assert.Equal(first, await Publish(Way.Body, "1.0", image, requestId: id));
        Assert.Equal("REQUEST_REUSED", (await Refused.By(() => Publish(way, "2.0", Client.Image(_name, "2.0"), requestId: id))).Reason);
    }

    [Theory]
    [InlineData(Way.Messages)]
    [InlineData(Way.Body)]
    public async Task Who_asks_again_while_the_first_is_answered_gets_its_answer(Way way)
    {
        var image = Client.Image(_name, "1.0", bytes: 200_000);
        var id = Guid.NewGuid().ToString();
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Publish(way, "1.0", image, requestId: id)));
        Assert.Single(answers.Distinct());
    }

    [Fact]
    public async Task A_stream_of_messages_that_breaks_in_the_middle_leaves_nothing()
    {
        using (var call = Admin.Releases.PublishRelease())
        {
            await call.RequestStream.WriteAsync(new PublishReleaseRequest { Head = new() { Release = new Release { Name = $"releases/{_name}@1.0", Firmware = new FirmwareRelease { Size = 5000 } } } });
            await call.RequestStream.WriteAsync(new PublishReleaseRequest { Chunk = ByteString.CopyFrom(new byte[1000]) });
            await Condition.Holds(() => Directory.GetFiles(_server.Home.Uploads).Length > 0);
        }
        await Condition.Holds(() => Directory.GetFiles(_server.Home.Uploads).Length == 0);
    }

    [Fact]
    public async Task A_body_that_breaks_in_the_middle_leaves_nothing()
    {
        var raw = new Uri(_server.Address);
        using var socket = new System.Net.Sockets.TcpClient();
        await socket.ConnectAsync(raw.Host, raw.Port);
        using (var tls = new SslStream(socket.GetStream()))
        {
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = raw.Host,
                EnabledSslProtocols = SslProtocols.Tls13,
                ClientCertificates = [PemFiles.Load(_server.Home.Client, "admin")],
                CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { X509CertificateLoader.LoadCertificateFromFile(Path.Combine(_server.Home.Client, "server-ca.crt")) }, RevocationMode = X509RevocationMode.NoCheck },
            });
            await tls.WriteAsync(System.Text.Encoding.ASCII.GetBytes($"PUT /v1/releases/{_name}@1.0 HTTP/1.1\r\nHost: {raw.Authority}\r\nContent-Length: 3000000\r\n\r\n"));
            await tls.WriteAsync(new byte[2_000_000]);
            await Condition.Holds(() => Directory.GetFiles(_server.Home.Uploads).Length > 0);
        }
        await Condition.Holds(() => Directory.GetFiles(_server.Home.Uploads).Length == 0);
        Assert.Equal("NOT_FOUND", (await Refused.By(async () => await Admin.Releases.GetReleaseAsync(new() { Name = $"releases/{_name}@1.0" }))).Reason);
    }

    [Theory]
    [InlineData("{", "head")]
    [InlineData("[]", "head")]
    [InlineData("""{"colour":"red"}""", "head.colour")]
    [InlineData("""{"release":{"firmware":{"size":"1","sizes":"1"}}}""", "head.release.firmware.sizes")]
    [InlineData("""{"release":{"name":"releases/other@1.0"}}""", "head.release.name")]
    [InlineData("""{"release":{"firmware":{"size":"7"}}}""", "head.release.firmware.size")]
    [InlineData("""{"release":{"backend":{"addresses":["https://127.0.0.1:1"]}}}""", "head.release.backend")]
    [InlineData("""{"release":{"stays":["a\nb"]}}""", "release.stays")]
    public async Task A_head_that_makes_no_sense_is_refused_by_name(string head, string field)
    {
        var (code, status) = await Put($"{_name}@1.0", Client.Image(_name, "1.0"), head);
        Assert.Equal(HttpStatusCode.BadRequest, code);
        Assert.Contains(field, status.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(3, (int)status["code"]!);
    }

    [Theory]
    [InlineData("no-version", HttpStatusCode.BadRequest)]
    [InlineData("..%2F..%2Fetc@1.0", HttpStatusCode.BadRequest)]
    [InlineData("fw@1.0/../../x@1", HttpStatusCode.NotFound)]
    public async Task A_release_that_has_no_name_is_refused(string release, HttpStatusCode expected) =>
        Assert.Equal(expected, (await Put(release, [1, 2, 3], "{}")).Code);

    [Fact]
    public async Task A_body_of_unknown_length_is_refused()
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/v1/releases/{_name}@1.0") { Content = new StreamContent(new MemoryStream(new byte[100])) };
        request.Headers.TransferEncodingChunked = true;
        using var response = await Admin.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains("Content-Length", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_is_told_before_the_image_is_sent()
    {
        var content = new Untouched(100_000_000);
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/v1/releases/{_name}@1.0?head=" + Uri.EscapeDataString("""{"colour":"red"}""")) { Content = content };
        request.Headers.ExpectContinue = true;
        using var response = await Admin.Http.SendAsync(request);
        Assert.Equal((HttpStatusCode.BadRequest, false), (response.StatusCode, content.Read));
    }

    [Fact]
    public async Task A_store_without_room_says_so_and_loses_nothing()
    {
        using var disk = SmallDisk.Mount(96);
        await using var server = await RunningServer.Start(new Server.Hosting.Home(Path.Combine(disk.Path, "home")));
        // More than the disk has left, less than an image may have.
        var big = new byte[disk.FreeBytes + 1_000_000];
        foreach (var way in (Way[])[Way.Messages, Way.Body])
        {
            var refused = await Refused.By(() => Publish(way, "1.0", big, sha256: Convert.ToHexStringLower(SHA256.HashData(big)), by: server.Admin, chunk: 1_000_000));
            Assert.Equal((StatusCode.ResourceExhausted, "STORE_FULL"), (refused.Code, refused.Reason));
        }
        await Condition.Holds(() => Directory.GetFiles(server.Home.Uploads).Length == 0);
        await Publish(Way.Body, "1.0", Client.Image(_name, "1.0"), by: server.Admin);
    }

    private Task<Release> Publish(Way way, string version, byte[] image, long? size = null, string requestId = "", string sha256 = "", Client? by = null, int chunk = 700) => way == Way.Messages
        ? (by ?? Admin).PublishImage($"{_name}@{version}", image, size, requestId, sha256, Math.Max(chunk, image.Length / 1000))
        : Put(new Head { Release = new Release { Name = $"releases/{_name}@{version}", Firmware = new FirmwareRelease { Size = size ?? image.Length } }, RequestId = requestId, ExpectedSha256 = sha256 }, image, by);

    private async Task<Release> Put(Head head, byte[] image, Client? by)
    {
        var (code, answer) = await Put(head.Release.Name["releases/".Length..], image, JsonFormatter.Default.Format(head), by);
        return code == HttpStatusCode.OK
            ? JsonParser.Default.Parse<Release>(answer.ToJsonString())
            : throw new JsonParser(JsonParser.Settings.Default.WithTypeRegistry(Server.Errors.StatusMapping.Details)).Parse<Google.Rpc.Status>(answer.ToJsonString()).ToRpcException();
    }

    private async Task<(HttpStatusCode Code, JsonNode Status)> Put(string release, byte[] image, string head, Client? by = null)
    {
        using var content = new ByteArrayContent(image) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } };
        using var response = await (by ?? Admin).Http.PutAsync($"/v1/releases/{release}?head={Uri.EscapeDataString(head)}", content);
        var text = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, text.Length > 0 ? JsonNode.Parse(text)! : new JsonObject());
    }

    private sealed class Untouched(long length) : HttpContent
    {
        public bool Read { get; private set; }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            Read = true;
            return stream.WriteAsync(new byte[1000]).AsTask();
        }

        protected override bool TryComputeLength(out long computed)
        {
            computed = length;
            return true;
        }
    }

    public sealed class Shared : IAsyncLifetime
    {
        public RunningServer Server { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Server = await RunningServer.Start();

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }
}
