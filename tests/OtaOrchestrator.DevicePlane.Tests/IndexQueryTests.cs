using System.Diagnostics;
using System.Text;
using OtaOrchestrator.DevicePlane.Index;
using OtaOrchestrator.DevicePlane.Registry;
using OtaOrchestrator.DevicePlane.Shadows;

namespace OtaOrchestrator.DevicePlane.Tests;

public sealed class IndexQueryTests
{
    private static readonly IndexedThing Thing = Make("thermostats-1", ["thermostats", "thermostats-c07"], """
        {"release":"thermostat-fw@2.4.0","digest":"sha256:ab","counter":3,"healthy":true,"job":{"id":"r:1","startedAt":1700000000,"detail":"two words"},"tags":["a","b"]}
        """);

    [Theory]
    [InlineData("*", true)]
    [InlineData("thingName:thermostats-1", true)]
    [InlineData("thingName:thermostats*", true)]
    [InlineData("thingName:*", true)]
    [InlineData("thingName:thermostats", false)]
    [InlineData("thingGroupNames:thermostats-c07", true)]
    [InlineData("thingGroupNames:thermostats-c08", false)]
    [InlineData("thingGroupNames:(thermostats-c08 OR thermostats-c07)", true)]
    [InlineData("thingGroupNames:(thermostats AND thermostats-c07)", true)]
    [InlineData("attributes.hardwareId:thermo-a1", true)]
    [InlineData("attributes.other:*", false)]
    [InlineData("connectivity.connected:true", true)]
    [InlineData("connectivity.timestamp>=1700000000000", true)]
    [InlineData("connectivity.timestamp<1700000000000", false)]
    [InlineData("shadow.name.ota.reported.release:\"thermostat-fw@2.4.0\"", true)]
    [InlineData("shadow.name.ota.reported.release:thermostat-fw@2.4.0", true)]
    [InlineData("shadow.name.ota.reported.digest:\"sha256:ab\"", true)]
    [InlineData("shadow.name.ota.reported.digest:sha256\\:ab", true)]
    [InlineData("shadow.name.ota.reported.job.id:r\\:1", true)]
    [InlineData("shadow.name.ota.reported.job.detail:\"two words\"", true)]
    [InlineData("shadow.name.ota.reported.job.detail:two", false)]
    [InlineData("shadow.name.ota.reported.healthy:true", true)]
    [InlineData("shadow.name.ota.reported.tags:b", true)]
    [InlineData("shadow.name.ota.reported.counter:3", true)]
    [InlineData("shadow.name.ota.reported.counter>3", false)]
    [InlineData("shadow.name.ota.reported.counter>=3", true)]
    [InlineData("shadow.name.ota.reported.counter<=3", true)]
    [InlineData("shadow.name.ota.reported.counter:>2", true)]
    [InlineData("shadow.name.ota.reported.counter:[1 TO 5]", true)]
    [InlineData("shadow.name.ota.reported.counter:[1 TO 3}", false)]
    [InlineData("shadow.name.ota.reported.counter:[* TO 2]", false)]
    [InlineData("shadow.name.ota.reported.job.startedAt>1699999999", true)]
    [InlineData("shadow.name.ota.reported.missing>1", false)]
    [InlineData("shadow.name.other.reported.counter:3", false)]
    [InlineData("shadow.name.ota.hasDelta:false", true)]
    [InlineData("NOT thingName:x", true)]
    [InlineData("-thingName:thermostats-1", false)]
    [InlineData("thingName:thermostats-1 NOT shadow.name.ota.reported.counter:3", false)]
    [InlineData("thingName:x OR thingName:y AND thingName:z", false)]
    [InlineData("thingName:thermostats-1 OR thingName:y AND thingName:z", true)]
    [InlineData("(thingName:thermostats-1 OR thingName:y) AND thingName:z", false)]
    [InlineData("thingName:thermostats-1 attributes.hardwareId:thermo-a1", true)]
    [InlineData("thingName:thermostats-1 AND -shadow.name.ota.reported.release:(a OR b)", true)]
    [InlineData("thingGroupNames:thermostats AND NOT shadow.name.ota.reported.job.outcome:*", true)]
    public void A_query_says_whether_a_thing_matches(string query, bool matches) => Assert.Equal(matches, IndexQueryParser.Parse(query).Matches(Thing));

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("thingName")]
    [InlineData("thingName:")]
    [InlineData("thingName:\"open")]
    [InlineData("thingName:a AND")]
    [InlineData("OR thingName:a")]
    [InlineData("(thingName:a")]
    [InlineData("thingName:a)")]
    [InlineData("nothing:a")]
    [InlineData("shadow.name.ota.desired.a:1")]
    [InlineData("thingName:a*b")]
    [InlineData("thingName:a?b")]
    [InlineData("thingName:[1 TO")]
    [InlineData("thingName:[1 5]")]
    [InlineData("thingName:a\\")]
    [InlineData(":a")]
    [InlineData("attributes.:a")]
    public void A_query_that_makes_no_sense_is_refused_with_its_place(string query)
    {
        var refused = Assert.Throws<RefusedException>(() => IndexQueryParser.Parse(query));
        Assert.Equal(Refusal.InvalidQuery, refused.Reason);
    }

    [Fact]
    public void A_query_has_limits_of_length_and_depth()
    {
        Assert.Throws<RefusedException>(() => IndexQueryParser.Parse("thingName:" + new string('a', 1000)));
        Assert.Throws<RefusedException>(() => IndexQueryParser.Parse(new string('(', 400) + "thingName:a" + new string(')', 400)));
        Assert.True(IndexQueryParser.Parse(new string('-', 900) + "thingName:thermostats-1").Matches(Thing));
    }

    [Fact]
    public void The_members_of_a_group_are_found_without_looking_at_the_rest_and_with_the_same_result()
    {
        var index = new FleetIndex();
        var random = new Random(7);
        var things = new Dictionary<int, IndexedThing>();
        for (var step = 0; step < 5000; step++)
        {
            var slot = random.Next(3000);
            if (random.Next(5) == 0)
            {
                things.Remove(slot);
                index.Set(slot, null);
                continue;
            }

            things[slot] = Make($"t-{slot}", ["f", $"f-c{random.Next(5)}"], $$"""{"v":{{random.Next(3)}}}""");
            index.Set(slot, things[slot]);
        }

        foreach (var text in new[] { "*", "thingGroupNames:f", "thingGroupNames:f-c3", "shadow.name.ota.reported.v:2 AND thingGroupNames:f-c1", "NOT thingGroupNames:f-c1", "thingGroupNames:nowhere" })
        {
            var query = IndexQueryParser.Parse(text);
            var expected = things.Where(t => query.Matches(t.Value)).OrderBy(t => t.Key).Select(t => t.Value.Record.Name).ToList();
            Assert.Equal(expected.Count, index.Count(query));
            var found = new List<string>();
            for (var next = 0; next >= 0;)
            {
                (var page, next) = index.Search(query, next, 7);
                found.AddRange(page.Select(t => t.Record.Name));
            }

            Assert.Equal(expected, found);
        }
    }

    [Fact]
    public void Buckets_come_by_count_and_a_field_with_too_many_values_is_refused()
    {
        var index = new FleetIndex();
        for (var i = 0; i < 30_000; i++)
        {
            index.Set(i, Make($"t-{i}", ["f"], $$"""{"v":"{{(i % 10 < 7 ? "new" : "old")}}","n":{{i}}}"""));
        }

        var (total, buckets) = index.Buckets(IndexQuery.Everything, IndexField.Parse("shadow.name.ota.reported.v", Refusal.InvalidAggregation), 10);
        Assert.Equal(30_000, total);
        Assert.Equal([new("new", 21_000), new("old", 9_000)], buckets);
        var refused = Assert.Throws<RefusedException>(() => index.Buckets(IndexQuery.Everything, IndexField.Parse("thingName", Refusal.InvalidAggregation), 10));
        Assert.Equal(Refusal.InvalidAggregation, refused.Reason);
        Assert.InRange(index.Cardinality(IndexQuery.Everything, IndexField.Parse("thingName", Refusal.InvalidAggregation)), 29_100, 30_900);
        Assert.Equal(2, index.Cardinality(IndexQuery.Everything, IndexField.Parse("shadow.name.ota.reported.v", Refusal.InvalidAggregation)));
        var statistics = index.Statistics(IndexQuery.Everything, IndexField.Parse("shadow.name.ota.reported.n", Refusal.InvalidAggregation));
        Assert.Equal((30_000, 0, 29_999), (statistics.Count, statistics.Minimum, statistics.Maximum));
    }

    [Fact]
    public void A_query_over_a_large_fleet_takes_no_memory_of_its_own()
    {
        var index = new FleetIndex();
        for (var i = 0; i < 100_000; i++)
        {
            index.Set(i, Make($"t-{i}", ["f", $"f-c{i % 100}"], """{"release":"fw@2","checkIn":1700000000}"""));
        }

        var query = IndexQueryParser.Parse("thingGroupNames:f AND shadow.name.ota.reported.release:fw@2 AND shadow.name.ota.reported.checkIn>1600000000 AND NOT shadow.name.ota.reported.job.outcome:failed");
        Assert.Equal(100_000, index.Count(query));
        var before = GC.GetAllocatedBytesForCurrentThread();
        var started = Stopwatch.GetTimestamp();
        Assert.Equal(100_000, index.Count(query));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4096);
        TestContext.Current.SendDiagnosticMessage($"count over 100,000 things: {Stopwatch.GetElapsedTime(started).TotalMilliseconds:F1} ms");
    }

    private static IndexedThing Make(string name, string[] groups, string reported) => new(
        new ThingRecord(name, "id", 1, new Dictionary<string, string> { ["hardwareId"] = "thermo-a1" }, groups, "f", null, 1_700_000_000_000),
        [new NamedShadow("ota", 1, Encoding.UTF8.GetBytes(reported), null)], connected: true);
}
