namespace OtaOrchestrator.DevicePlane.Tests;

public sealed class ShadowTests
{
    [Fact]
    public async Task Updates_merge_null_removes_and_each_raises_the_version()
    {
        await using var bench = await PlaneBench.StartAsync();
        await using var device = await bench.DeviceAsync("1");
        var ota = device.Shadow("ota");
        Assert.Equal(404, (await device.RejectedAsync(ota + "get", new { })).Json.GetProperty("code").GetInt32());

        var first = (await device.AcceptedAsync(ota + "update", new { state = new { reported = new { a = 1, job = new { id = "x", reason = "R" } } }, clientToken = "t" })).Json;
        Assert.Equal("t", first.GetProperty("clientToken").GetString());
        Assert.Equal(1, first.GetProperty("version").GetInt32());
        await device.AcceptedAsync(ota + "update", new { state = new { reported = new { a = (int?)null, job = new { reason = (string?)null, outcome = "failed" } } } });
        var got = (await device.AcceptedAsync(ota + "get", new { })).Json;
        Assert.Equal("""{"reported":{"job":{"id":"x","outcome":"failed"}}}""", got.GetProperty("state").GetRawText());
        Assert.Equal(2, got.GetProperty("version").GetInt32());
    }

    [Fact]
    public async Task A_late_version_changes_nothing()
    {
        await using var bench = await PlaneBench.StartAsync();
        await using var device = await bench.DeviceAsync("1");
        var ota = device.Shadow("ota");
        await device.AcceptedAsync(ota + "update", new { state = new { reported = new { a = 1 } }, version = 0 });
        var late = (await device.RejectedAsync(ota + "update", new { state = new { reported = new { a = 2 } }, version = 0, clientToken = "t" })).Json;
        Assert.Equal(409, late.GetProperty("code").GetInt32());
        Assert.Equal("t", late.GetProperty("clientToken").GetString());
        await device.AcceptedAsync(ota + "update", new { state = new { reported = new { a = 3 } }, version = 1 });
        Assert.Equal("""{"reported":{"a":3}}""", (await device.AcceptedAsync(ota + "get", new { })).Json.GetProperty("state").GetRawText());
    }

    [Fact]
    public async Task Documents_tell_before_and_after_and_delta_what_is_missing()
    {
        await using var bench = await PlaneBench.StartAsync();
        await using var device = await bench.DeviceAsync("1");
        var ota = device.Shadow("ota");
        await device.AcceptedAsync(ota + "update", new { state = new { desired = new { a = 1, b = new { c = 2 } }, reported = new { a = 1 } } });
        Assert.Equal("""{"b":{"c":2}}""", (await device.NextAsync(ota + "update/delta")).Json.GetProperty("state").GetRawText());
        var documents = (await device.NextAsync(ota + "update/documents")).Json;
        Assert.Equal("{}", documents.GetProperty("previous").GetProperty("state").GetRawText());
        Assert.Equal(1, documents.GetProperty("current").GetProperty("version").GetInt32());

        await device.AcceptedAsync(ota + "delete", new { });
        await device.RejectedAsync(ota + "get", new { });
        Assert.Equal(3, (await device.AcceptedAsync(ota + "update", new { state = new { reported = new { a = 1 } } })).Json.GetProperty("version").GetInt32());
    }

    [Theory]
    [InlineData("""{"state":[]}""", 400)]
    [InlineData("{}", 400)]
    [InlineData("[]", 400)]
    [InlineData("{", 400)]
    [InlineData("""{"state":{"reported":7}}""", 400)]
    [InlineData("""{"state":{"reported":{}},"version":"one"}""", 400)]
    [InlineData("""{"state":{"reported":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}}}}}""", 400)]
    [InlineData("""{"state":{"reported":{"a":1,"a":2}}}""", 400)]
    public async Task A_malformed_update_is_rejected_and_stores_nothing(string payload, int code)
    {
        await using var bench = await PlaneBench.StartAsync();
        await using var device = await bench.DeviceAsync("1");
        var rejected = await device.RequestRawAsync(device.Shadow("ota") + "update", System.Text.Encoding.UTF8.GetBytes(payload));
        Assert.Equal(code, rejected.Json.GetProperty("code").GetInt32());
        Assert.Equal(404, (await device.RejectedAsync(device.Shadow("ota") + "get", new { })).Json.GetProperty("code").GetInt32());
    }

    [Fact]
    public async Task A_device_can_not_make_shadows_without_end_nor_one_that_is_too_large()
    {
        await using var bench = await PlaneBench.StartAsync();
        await using var device = await bench.DeviceAsync("1");
        for (var i = 0; i < 16; i++)
        {
            await device.AcceptedAsync(device.Shadow($"s{i}") + "update", new { state = new { reported = new { a = 1 } } });
        }

        Assert.Equal(429, (await device.RejectedAsync(device.Shadow("one-more") + "update", new { state = new { reported = new { a = 1 } } })).Json.GetProperty("code").GetInt32());
        Assert.Equal(413, (await device.RejectedAsync(device.Shadow("s0") + "update", new { state = new { reported = new { a = new string('x', 9000) } } })).Json.GetProperty("code").GetInt32());
        Assert.Equal("""{"reported":{"a":1}}""", (await device.AcceptedAsync(device.Shadow("s0") + "get", new { })).Json.GetProperty("state").GetRawText());
    }
}
