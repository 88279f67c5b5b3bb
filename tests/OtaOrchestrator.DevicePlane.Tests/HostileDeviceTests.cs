using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Amazon.IoT.Model;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace OtaOrchestrator.DevicePlane.Tests;

public sealed class HostileDeviceTests
{
    [Theory]
    [InlineData("#")]
    [InlineData("+/things/thermostats-1/jobs/notify")]
    [InlineData("$aws/#")]
    [InlineData("$aws/things/+/jobs/notify")]
    [InlineData("$aws/things/thermostats-2/jobs/#")]
    [InlineData("$aws/things/thermostats-1/../thermostats-2/jobs/#")]
    [InlineData("$aws/things/thermostats-10/jobs/#")]
    [InlineData("$aws/events/job/#")]
    [InlineData("$SYS/#")]
    public async Task A_device_can_listen_only_below_its_own_prefix(string filter)
    {
        await using var bench = await PlaneBench.StartAsync();
        await using var device = await Device.ConnectAsync(bench, await bench.EnrollAsync("1"), "thermostats-1");
        Assert.Equal(MqttClientSubscribeResultCode.NotAuthorized, await device.SubscribeAsync(filter));
    }

    [Theory]
    [InlineData("$aws/things/thermostats-1/jobs/+/get/+")]
    [InlineData("$aws/things/thermostats-1/jobs/get/+")]
    [InlineData("$aws/things/thermostats-1/#")]
    public async Task Wildcards_below_its_own_prefix_are_a_devices_right(string filter)
    {
        await using var bench = await PlaneBench.StartAsync();
        await using var device = await Device.ConnectAsync(bench, await bench.EnrollAsync("1"), "thermostats-1", MqttProtocolVersion.V311);
        Assert.Equal(MqttClientSubscribeResultCode.GrantedQoS1, await device.SubscribeAsync(filter, MqttQualityOfServiceLevel.ExactlyOnce));
    }

    [Theory]
    [InlineData("$aws/things/thermostats-2/jobs/get")]
    [InlineData("$aws/things/thermostats-1/jobsx/get")]
    [InlineData("$aws/things/thermostats-1/shadow/update")]
    [InlineData("$aws/things/thermostats-1/shadow/name/../update")]
    [InlineData("$aws/certificates/create-from-csr/json")]
    [InlineData("anything/else")]
    public async Task A_publish_to_a_topic_that_is_not_its_own_ends_the_connection(string topic)
    {
        await using var bench = await PlaneBench.StartAsync();
        await using var device = await bench.DeviceAsync("1");
        try
        {
            await device.PublishRawAsync(topic, "{}"u8.ToArray());
        }
        catch (Exception e) when (e is not Xunit.Sdk.XunitException)
        {
            // The connection may end before the acknowledgement.
        }

        await device.WaitForDisconnectAsync();
    }

    [Fact]
    public async Task A_client_id_that_is_not_the_certificates_name_is_refused()
    {
        await using var bench = await PlaneBench.StartAsync();
        var certificate = await bench.EnrollAsync("1");
        Assert.Equal("ClientIdentifierNotValid", await RefusalAsync(bench, certificate, "thermostats-2"));
    }

    [Fact]
    public async Task Certificates_that_are_pending_revoked_unknown_or_of_another_authority_do_not_get_in()
    {
        await using var bench = await PlaneBench.StartAsync();

        // Issued but not provisioned.
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await using (var claim = await Device.ConnectAsync(bench, PlaneBench.Own(await bench.ClaimAsync()), "anything"))
        {
            var issued = await claim.AcceptedAsync("$aws/certificates/create-from-csr/json", new { certificateSigningRequest = Csr("thermostats-9", key) });
            using var certificate = X509Certificate2.CreateFromPem(issued.Text("certificatePem"));
            using var withKey = certificate.CopyWithPrivateKey(key);
            Assert.Equal("NotAuthorized", await RefusalAsync(bench, PlaneBench.Own(withKey), "thermostats-9"));
        }

        // Signed by the right authority, but not by this plane.
        var stray = new CertificateRequest("CN=thermostats-8", key, HashAlgorithmName.SHA256).Create(bench.DevicesAuthority, bench.DevicesAuthority.NotBefore, bench.DevicesAuthority.NotAfter, [1, 2, 3]);
        using (var withKey = stray.CopyWithPrivateKey(key))
        {
            Assert.Equal("NotAuthorized", await RefusalAsync(bench, PlaneBench.Own(withKey), "thermostats-8"));
        }

        // Signed by somebody else: TLS itself refuses.
        using var foreignAuthority = PlaneBench.Authority("devices");
        var foreign = new CertificateRequest("CN=thermostats-7", key, HashAlgorithmName.SHA256).Create(foreignAuthority, foreignAuthority.NotBefore, foreignAuthority.NotAfter, [1, 2, 3]);
        using (var withKey = foreign.CopyWithPrivateKey(key))
        {
            Assert.NotEqual("connected", await RefusalAsync(bench, PlaneBench.Own(withKey), "thermostats-7"));
        }

        var own = await bench.EnrollAsync("1");
        await using var device = await Device.ConnectAsync(bench, own, "thermostats-1", MqttProtocolVersion.V311);
        await bench.RevokeAsync("thermostats-1");
        await device.WaitForDisconnectAsync();
        Assert.Equal("NotAuthorized", await RefusalAsync(bench, own, "thermostats-1"));
        await bench.ReopenAsync();
        Assert.Equal("NotAuthorized", await RefusalAsync(bench, own, "thermostats-1"));

        // With a new key it may come back.
        Assert.Equal("connected", await RefusalAsync(bench, await bench.EnrollAsync("1"), "thermostats-1"));
    }

    [Fact]
    public async Task A_certificate_that_is_switched_off_or_a_thing_that_is_deleted_loses_its_connection()
    {
        await using var bench = await PlaneBench.StartAsync();
        var certificate = await bench.EnrollAsync("1");
        var principal = Assert.Single((await bench.IoT.ListThingPrincipalsAsync(new ListThingPrincipalsRequest { ThingName = "thermostats-1" })).Principals);
        var id = principal[(principal.LastIndexOf('/') + 1)..];
        await using (var device = await Device.ConnectAsync(bench, certificate, "thermostats-1"))
        {
            await bench.IoT.UpdateCertificateAsync(new UpdateCertificateRequest { CertificateId = id, NewStatus = "INACTIVE" });
            await device.WaitForDisconnectAsync();
        }

        Assert.Equal("NotAuthorized", await RefusalAsync(bench, certificate, "thermostats-1"));
        await bench.IoT.UpdateCertificateAsync(new UpdateCertificateRequest { CertificateId = id, NewStatus = "ACTIVE" });
        await using (var device = await Device.ConnectAsync(bench, certificate, "thermostats-1"))
        {
            await bench.IoT.DeleteThingAsync(new DeleteThingRequest { ThingName = "thermostats-1" });
            await device.WaitForDisconnectAsync();
        }

        Assert.Equal("NotAuthorized", await RefusalAsync(bench, certificate, "thermostats-1"));
        await Assert.ThrowsAsync<InvalidRequestException>(() => bench.IoT.UpdateCertificateAsync(new UpdateCertificateRequest { CertificateId = id, NewStatus = "ACTIVE" }));
    }

    [Fact]
    public async Task Provisioning_refuses_what_does_not_fit_and_a_name_that_is_taken()
    {
        await using var bench = await PlaneBench.StartAsync();
        await bench.EnrollAsync("1");
        await using var claim = await Device.ConnectAsync(bench, PlaneBench.Own(await bench.ClaimAsync()), "claim-thermostats");
        const string Create = "$aws/certificates/create-from-csr/json";
        const string Provision = "$aws/provisioning-templates/thermostats/provision/json";
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        Assert.Equal("InvalidCertificateSigningRequest", (await claim.RejectedAsync(Create, new { certificateSigningRequest = Csr("thermostats-2", p384) })).Text("errorCode"));
        var tampered = Convert.FromBase64String(string.Concat(Csr("thermostats-2", key).Split('\n')[1..^1]));
        tampered[^3] ^= 1;
        Assert.Equal("InvalidCertificateSigningRequest", (await claim.RejectedAsync(Create, new { certificateSigningRequest = PemEncoding.WriteString("CERTIFICATE REQUEST", tampered) })).Text("errorCode"));
        Assert.Equal("InvalidCertificateSigningRequest", (await claim.RejectedAsync(Create, new { certificateSigningRequest = Csr("claim-thermostats", key) })).Text("errorCode"));
        Assert.Equal("InvalidCertificateSigningRequest", (await claim.RejectedAsync(Create, new { certificateSigningRequest = Csr("../etc", key) })).Text("errorCode"));
        Assert.Equal("InvalidCertificateSigningRequest", (await claim.RejectedAsync(Create, new { certificateSigningRequest = new string('x', 5000) })).Text("errorCode"));
        Assert.Equal("InvalidPayload", Text(await claim.RequestRawAsync(Create, "nonsense"u8.ToArray()), "errorCode"));

        var issued = await claim.AcceptedAsync(Create, new { certificateSigningRequest = Csr("thermostats-2", key) });
        var token = issued.Text("certificateOwnershipToken");
        Assert.Equal("InvalidParameters", (await claim.RejectedAsync(Provision, Parameters(token, "3"))).Text("errorCode"));
        Assert.Equal("InvalidParameters", (await claim.RejectedAsync(Provision, Parameters("stolen", "2"))).Text("errorCode"));
        Assert.Equal("thermostats-2", (await claim.AcceptedAsync(Provision, Parameters(token, "2"))).Text("thingName"));
        Assert.Equal("InvalidParameters", (await claim.RejectedAsync(Provision, Parameters(token, "2"))).Text("errorCode"));

        var taken = await claim.AcceptedAsync(Create, new { certificateSigningRequest = Csr("thermostats-1", key) });
        Assert.Equal("ResourceAlreadyExists", (await claim.RejectedAsync(Provision, Parameters(taken.Text("certificateOwnershipToken"), "1"))).Text("errorCode"));
    }

    [Fact]
    public async Task A_claim_reaches_neither_another_fleet_nor_any_device_topic()
    {
        await using var bench = await PlaneBench.StartAsync();
        await bench.Plane.EnsureFleetAsync("pumps");
        foreach (var topic in new[] { "$aws/provisioning-templates/pumps/provision/json", "$aws/things/thermostats-1/jobs/get" })
        {
            await using var claim = await Device.ConnectAsync(bench, PlaneBench.Own(await bench.ClaimAsync()), "claim");
            Assert.Equal(MqttClientSubscribeResultCode.NotAuthorized, await claim.SubscribeAsync(topic + "/accepted"));
            try
            {
                await claim.PublishRawAsync(topic, "{}"u8.ToArray());
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                // The connection may end before the acknowledgement.
            }

            await claim.WaitForDisconnectAsync();
        }
    }

    [Fact]
    public async Task A_claim_can_not_take_over_the_session_of_a_device()
    {
        await using var bench = await PlaneBench.StartAsync();
        await using var device = await bench.DeviceAsync("1");
        Assert.Equal("ClientIdentifierNotValid", await RefusalAsync(bench, PlaneBench.Own(await bench.ClaimAsync()), "thermostats-1"));
        Assert.Empty(await device.DrainAsync());
    }

    [Fact]
    public async Task A_second_connection_of_a_device_takes_over_and_gets_what_follows()
    {
        await using var bench = await PlaneBench.StartAsync();
        var certificate = await bench.EnrollAsync("1");
        await using var first = await Device.ConnectAsync(bench, certificate, "thermostats-1");
        await using var second = await Device.ConnectAsync(bench, certificate, "thermostats-1");
        await first.WaitForDisconnectAsync();
        await second.SubscribeAsync(second.Jobs + "#");
        await JobsConformanceTests.CreateJobAsync(bench, "job-1", second);
        await second.NextAsync(second.Jobs + "notify-next");
        var thing = Assert.Single((await bench.Plane.SnapshotAsync()).Things);
        Assert.True(thing.Connected);
    }

    [Fact]
    public async Task A_payload_over_the_limit_ends_the_connection_and_a_large_one_below_it_does_not()
    {
        await using var bench = await PlaneBench.StartAsync();
        await using var device = await bench.DeviceAsync("1");
        var large = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new { state = new { reported = new { a = new string('x', 100_000) } } });
        var rejected = await device.RequestRawAsync(device.Shadow("ota") + "update", large);
        Assert.Equal(413, rejected.Json.GetProperty("code").GetInt32());
        foreach (var size in new[] { 140_000, 3_000_000 })
        {
            await using var greedy = size == 140_000 ? device : await Device.ConnectAsync(bench, await bench.EnrollAsync("2"), "thermostats-2");
            try
            {
                await greedy.PublishRawAsync(greedy.Jobs + "get", new byte[size]);
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                // The connection may end while the payload is on its way.
            }

            await greedy.WaitForDisconnectAsync();
        }
    }

    private static string Text(Received received, string name) => received.Text(name);

    private static string Csr(string name, ECDsa key) => new CertificateRequest($"CN=\"{name}\"", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();

    private static object Parameters(string token, string serial) => new { certificateOwnershipToken = token, parameters = new { SerialNumber = serial, HardwareId = "thermo-a1" } };

    private static async Task<string> RefusalAsync(PlaneBench bench, X509Certificate2 certificate, string clientId)
    {
        try
        {
            await using var device = await Device.ConnectAsync(bench, certificate, clientId);

            // With TLS 1.3 a refused certificate shows at the first read only.
            return device.IsConnected ? "connected" : "refused";
        }
        catch (InvalidOperationException e)
        {
            return e.Message;
        }
        catch (Exception e) when (e is not Xunit.Sdk.XunitException)
        {
            return "refused";
        }
    }
}
