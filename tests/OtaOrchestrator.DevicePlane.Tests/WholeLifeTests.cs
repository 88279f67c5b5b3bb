using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Amazon.IoT.Model;

namespace OtaOrchestrator.DevicePlane.Tests;

public sealed class WholeLifeTests
{
    [Fact]
    public async Task A_device_enrols_takes_a_job_reports_and_fetches_its_firmware()
    {
        await using var bench = await PlaneBench.StartAsync();
        var image = RandomNumberGenerator.GetBytes(300_000);
        var digest = Convert.ToHexStringLower(SHA256.HashData(image));
        await File.WriteAllBytesAsync(Path.Combine(bench.FirmwareRoot, digest), image);

        var certificate = await bench.EnrollAsync("0001");
        await using var device = await Device.ConnectAsync(bench, certificate, "thermostats-0001");
        await device.SubscribeAsync(device.Jobs + "#");
        await bench.IoT.CreateJobAsync(new CreateJobRequest
        {
            JobId = "job-1",
            Targets = ["arn:aws:iot:local-1:000000000000:thinggroup/thermostats"],
            Document = PlaneBench.FirmwareDocument(digest),
        });
        var next = await device.NextAsync(device.Jobs + "notify-next");
        Assert.Equal("job-1", next.Json.GetProperty("execution").GetProperty("jobId").GetString());

        var started = await device.AcceptedAsync(device.Jobs + "start-next", new { clientToken = "t" });
        var execution = started.Json.GetProperty("execution");
        Assert.Equal("IN_PROGRESS", execution.GetProperty("status").GetString());
        var link = execution.GetProperty("jobDocument").GetProperty("afr_ota").GetProperty("files")[0].GetProperty("update_data_url").GetString()!;

        var http = bench.FirmwareClient(certificate);
        using var request = new HttpRequestMessage(HttpMethod.Get, link) { Headers = { Range = new RangeHeaderValue(100_000, null) } };
        using var response = await http.SendAsync(request);
        Assert.Equal(HttpStatusCode.PartialContent, response.StatusCode);
        Assert.Equal(image[100_000..], await response.Content.ReadAsByteArrayAsync());
        Assert.Equal($"\"{digest}\"", response.Headers.ETag!.Tag);

        await device.AcceptedAsync(device.Shadow("ota") + "update", new { state = new { reported = new { release = "thermostat-fw@2.4.0", job = new { id = "job-1", outcome = "confirmed" } } } });
        await device.AcceptedAsync(device.Jobs + "job-1/update", new { status = "SUCCEEDED", expectedVersion = "2" });

        var found = await bench.IoT.SearchIndexAsync(new SearchIndexRequest { QueryString = "thingGroupNames:thermostats AND shadow.name.ota.reported.job.outcome:confirmed AND connectivity.connected:true" });
        Assert.Equal("thermostats-0001", Assert.Single(found.Things).ThingName);
        var buckets = await bench.IoT.GetBucketsAggregationAsync(new GetBucketsAggregationRequest
        {
            QueryString = "thingGroupNames:thermostats",
            AggregationField = "shadow.name.ota.reported.release",
            BucketsAggregationType = new BucketsAggregationType { TermsAggregation = new TermsAggregation { MaxBuckets = 10 } },
        });
        Assert.Equal("thermostat-fw@2.4.0", Assert.Single(buckets.Buckets).KeyValue);
        Assert.Equal("COMPLETED", (await bench.IoT.DescribeJobAsync(new DescribeJobRequest { JobId = "job-1" })).Job.Status.Value);
    }
}
