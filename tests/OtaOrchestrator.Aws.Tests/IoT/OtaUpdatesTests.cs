using System.Text.Json.Nodes;
using Amazon.IoT.Model;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.Tests.IoT;

/// <summary>A fleet whose devices run FreeRTOS's OTA agent, on a device plane: updates instead of documents, and back by a twin.</summary>
public sealed class OtaUpdatesTests : IAsyncLifetime
{
    private const string Role = "arn:aws:iam::111122223333:role/ota-updates";
    private static readonly OtaImage Young = new("2.4.0", new string('a', 64), "MEUCIQ==");
    private static readonly OtaImage Twin = new("2.4.1", new string('c', 64), "MEQCIA==");
    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;
    private FleetFixture _fleet = null!;

    public async ValueTask InitializeAsync()
    {
        _fleet = await FleetFixture.StartAsync();
        _fleet.Settings.PresignRoleArn = Role;
        foreach (var image in (OtaImage[])[Young, Twin])
        {
            await File.WriteAllBytesAsync(Path.Combine(_fleet.Firmware, image.Sha256), new byte[1234], _cancellation);
        }
    }

    public ValueTask DisposeAsync() => _fleet.DisposeAsync();

    [Fact]
    public async Task There_by_an_update_and_back_by_the_twin()
    {
        var (first, second) = (await _fleet.EnrolAsync(inFirstWave: true), await _fleet.EnrolAsync(inFirstWave: false));
        Assert.Null((await _fleet.Target.PrepareAsync(Order(-1), _cancellation)).Problem);
        await _fleet.Target.ExposeAsync(Order(0), _cancellation);
        Assert.True((await _fleet.Target.ReadAsync(Order(0), _cancellation)).Agrees);
        Assert.Null(await second.StartNextAsync());

        var execution = (await first.StartNextAsync())!;
        var job = (string)execution["jobId"]!;
        Assert.StartsWith("AFR_OTA-ota-", job, StringComparison.Ordinal);
        var file = Assert.Single(execution["jobDocument"]!["afr_ota"]!["files"]!.AsArray())!;
        Assert.Equal((1234, 0, "release-key", Young.Signature), ((int)file["filesize"]!, (int)file["fileid"]!, (string)file["certfile"]!, (string)file["sig-sha256-ecdsa"]!));
        Assert.Contains($"/firmware/{Young.Sha256}?", (string)file["update_data_url"]!, StringComparison.Ordinal);
        await StartedAsync(first, job);
        await _fleet.EndAsync(first, job, "confirmed", 'a');
        _fleet.Clock.Advance(TimeSpan.FromMinutes(6));
        await first.ReportAsync(new { checkIn = _fleet.Now });
        var observed = (FleetObservation)(await _fleet.Target.ObserveAsync(Order(0), _cancellation))!;
        Assert.Equal((1, 1), (observed.Starts.Sum(bucket => bucket.Started), observed.Starts.Sum(bucket => bucket.Healthy)));

        var back = Order(0, revision: 2);
        await _fleet.Target.RestoreAsync(back, _cancellation);
        Assert.False((await _fleet.Target.ReadRestorationAsync(back, _cancellation)).Agrees);
        execution = (await first.StartNextAsync())!;
        job = (string)execution["jobId"]!;
        Assert.Equal(Twin.Signature, (string)execution["jobDocument"]!["afr_ota"]!["files"]![0]!["sig-sha256-ecdsa"]!);
        await StartedAsync(first, job);
        await _fleet.EndAsync(first, job, "confirmed", 'c');
        var restoration = await _fleet.Target.ReadRestorationAsync(back, _cancellation);
        Assert.Equal((true, 1, 0), (restoration.Agrees, restoration.Returned, restoration.Candidate));
        Assert.Null(await second.StartNextAsync());
    }

    [Fact]
    public async Task However_often_it_is_asked_for_it_is_one_update_and_another_image_is_none()
    {
        var thing = await _fleet.EnrolAsync(inFirstWave: true);
        await _fleet.Target.ExposeAsync(Order(0), _cancellation);
        await _fleet.Target.ExposeAsync(Order(0), _cancellation);
        Assert.Single((await _fleet.Iot.ListJobsAsync(new ListJobsRequest(), _cancellation)).Jobs);
        var other = Order(0);
        await Assert.ThrowsAsync<TargetException>(() => _fleet.Target.ExposeAsync(other with { Candidate = other.Candidate with { Image = Young with { Sha256 = Twin.Sha256 } } }, _cancellation));

        // Taken back, it is not offered again by a call that was late.
        await _fleet.Target.RestoreAsync(Order(0, revision: 2), _cancellation);
        await Assert.ThrowsAsync<TargetException>(() => _fleet.Target.ExposeAsync(Order(0), _cancellation));
        Assert.Equal(Twin.Signature, (string)(await thing.StartNextAsync())!["jobDocument"]!["afr_ota"]!["files"]![0]!["sig-sha256-ecdsa"]!);
    }

    [Fact]
    public async Task What_was_offered_before_the_devices_got_this_agent_is_taken_back_when_it_is_promoted()
    {
        await _fleet.EnrolAsync(inFirstWave: true);
        await _fleet.Target.ExposeAsync(FleetFixture.Order(0, rollout: "r-old"), _cancellation);
        var next = Order(0) with { Fence = new Fence(2, 1) };
        await _fleet.Target.ExposeAsync(next, _cancellation);
        await _fleet.Target.PromoteAsync(next, _cancellation);
        var live = await _fleet.Iot.ListJobsAsync(new ListJobsRequest { Status = Amazon.IoT.JobStatus.IN_PROGRESS }, _cancellation);
        Assert.StartsWith("AFR_OTA-", Assert.Single(live.Jobs).JobId, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("2.4.0")]
    [InlineData("2.3.1")]
    public async Task Without_a_way_back_that_the_agents_take_nobody_goes_forward(string? version)
    {
        var order = Order(-1);
        var problem = (await _fleet.Target.PrepareAsync(order with { Fallback = order.Fallback with { Image = version is null ? null : Twin with { Version = version } } }, _cancellation)).Problem;
        Assert.Contains("publish its code under a higher version, as its twin", problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_leave_room_for_what_AWS_puts_before_them()
    {
        await _fleet.EnrolAsync(inFirstWave: true);
        var order = Order(0, rollout: new string('r', 63)) with { Attempt = 999, Lane = new string('l', 63) };
        await _fleet.Target.ExposeAsync(order, _cancellation);
        var job = Assert.Single((await _fleet.Iot.ListJobsAsync(new ListJobsRequest(), _cancellation)).Jobs);
        Assert.True(job.JobId.Length <= 64);
        Assert.StartsWith(OtaOrchestrator.Aws.IoT.IotFleet.JobPrefix(order), job.JobId, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Updates_are_listed_in_pages_and_deleted_only_when_nobody_is_at_them()
    {
        await _fleet.EnrolAsync(inFirstWave: true);
        await _fleet.Target.ExposeAsync(FleetFixture.Order(0, rollout: "r-documents"), _cancellation);
        await _fleet.Target.ExposeAsync(Order(0) with { Fence = new Fence(2, 1) }, _cancellation);
        await _fleet.Target.ExposeAsync(Order(0, rollout: "r-next") with { Fence = new Fence(3, 1) }, _cancellation);
        var first = await _fleet.Iot.ListOTAUpdatesAsync(new ListOTAUpdatesRequest { MaxResults = 1 }, _cancellation);
        var second = await _fleet.Iot.ListOTAUpdatesAsync(new ListOTAUpdatesRequest { MaxResults = 1, NextToken = first.NextToken }, _cancellation);
        Assert.Null(second.NextToken);
        var ids = first.OtaUpdates.Concat(second.OtaUpdates).Select(update => update.OtaUpdateId).ToList();
        Assert.Equal(2, ids.Distinct().Count());
        Assert.All(ids, id => Assert.StartsWith("ota-", id, StringComparison.Ordinal));
        Assert.Empty((await _fleet.Iot.ListOTAUpdatesAsync(new ListOTAUpdatesRequest { OtaUpdateStatus = Amazon.IoT.OTAUpdateStatus.CREATE_PENDING }, _cancellation)).OtaUpdates);

        await Assert.ThrowsAsync<InvalidRequestException>(() => _fleet.Unchecked().DeleteOTAUpdateAsync(new DeleteOTAUpdateRequest { OtaUpdateId = ids[0], DeleteStream = true }, _cancellation));
        await _fleet.Iot.DeleteOTAUpdateAsync(new DeleteOTAUpdateRequest { OtaUpdateId = ids[0], ForceDeleteAWSJob = true }, _cancellation);
        Assert.Equal(ids[1], Assert.Single((await _fleet.Iot.ListOTAUpdatesAsync(new ListOTAUpdatesRequest(), _cancellation)).OtaUpdates).OtaUpdateId);
        await Assert.ThrowsAsync<ResourceNotFoundException>(() => _fleet.Iot.DeleteOTAUpdateAsync(new DeleteOTAUpdateRequest { OtaUpdateId = "nobody" }, _cancellation));
    }

    [Theory]
    [InlineData("two files", "exactly one file")]
    [InlineData("no files", "exactly one file")]
    [InlineData("another place", "64 hex digits")]
    [InlineData("a path", "64 hex digits")]
    [InlineData("no image", "there is no image")]
    [InlineData("unsigned", "nothing goes out unsigned")]
    [InlineData("empty signature", "inlineDocument")]
    [InlineData("streams", "protocols must have HTTP")]
    public async Task The_plane_refuses_by_name_what_no_agent_could_take(string wrong, string said)
    {
        var request = new CreateOTAUpdateRequest
        {
            OtaUpdateId = "by-hand", RoleArn = Role, Protocols = ["HTTP"], Targets = [$"arn:aws:iot:local-1:000000000000:thinggroup/{FleetFixture.Fleet}"],
            Files =
            [
                new OTAUpdateFile
                {
                    FileLocation = new FileLocation { S3Location = new S3Location { Bucket = "b", Key = Young.Sha256 } },
                    CodeSigning = new CodeSigning { CustomCodeSigning = new CustomCodeSigning { HashAlgorithm = "SHA256", SignatureAlgorithm = "ECDSA", Signature = new CodeSigningSignature { InlineDocument = new MemoryStream([1]) } } },
                },
            ],
        };
        var file = request.Files[0];
        switch (wrong)
        {
            case "two files": request.Files.Add(file); break;
            case "no files": request.Files = []; break;
            case "another place": file.FileLocation = new FileLocation { Stream = new Amazon.IoT.Model.Stream { StreamId = "s", FileId = 1 } }; break;
            case "a path": file.FileLocation.S3Location.Key = "../../etc/passwd"; break;
            case "no image": file.FileLocation.S3Location.Key = new string('d', 64); break;
            case "unsigned": file.CodeSigning = null; break;
            case "empty signature": file.CodeSigning.CustomCodeSigning.Signature.InlineDocument = new MemoryStream(); break;
            case "streams": request.Protocols = ["MQTT"]; break;
        }

        using var plain = _fleet.Unchecked();
        var refusal = await Assert.ThrowsAnyAsync<Amazon.IoT.AmazonIoTException>(() => plain.CreateOTAUpdateAsync(request, _cancellation));
        Assert.Contains(said, refusal.Message, StringComparison.Ordinal);
        Assert.Empty((await _fleet.Iot.ListJobsAsync(new ListJobsRequest(), _cancellation)).Jobs);
        await Assert.ThrowsAsync<ResourceNotFoundException>(() => _fleet.Iot.GetOTAUpdateAsync(new GetOTAUpdateRequest { OtaUpdateId = "by-hand" }, _cancellation));
    }

    private Task StartedAsync(MqttThing thing, string job) => thing.ReportAsync(new JsonObject
    {
        ["checkIn"] = _fleet.Now,
        ["job"] = new JsonObject { ["id"] = job, ["startedAt"] = _fleet.Now, ["outcome"] = "started", ["resolvedAt"] = null, ["reason"] = null },
    });

    private static TargetOrder Order(int step, long revision = 1, string rollout = FleetFixture.Rollout)
    {
        var order = FleetFixture.Order(step, revision: revision, rollout: rollout);
        return order with { Candidate = order.Candidate with { Document = null, Image = Young }, Fallback = order.Fallback with { Document = null, Image = Twin } };
    }
}
