using System.Globalization;
using System.Text.Json;
using OtaOrchestrator.DevicePlane.Index;
using OtaOrchestrator.DevicePlane.Shadows;

namespace OtaOrchestrator.DevicePlane.ControlPlane;

/// <summary>The fleet-indexing operations. They read the index's snapshots and don't wait for the writer.</summary>
internal sealed class IndexApi(FleetIndex index, Arn arns)
{
    private const string IndexName = "AWS_Things";
    private const int SearchLimit = 500;
    private const int MaxBuckets = 10_000;
    private const int DefaultBuckets = 10;

    public void Search(ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var query = Query(request);
        var limit = (int)(ControlPlaneRequest.Integer(request.Body, "maxResults", 1, SearchLimit) ?? 100);
        var from = request.Text("nextToken") is not { } token ? 0
            : int.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out var slot) ? slot : throw RefusedException.Invalid("nextToken isn't valid");
        var (things, next) = index.Search(query, from, limit);
        w.WriteStartArray("things");
        foreach (var thing in things)
        {
            Write(w, thing);
        }

        w.WriteEndArray();
        if (next >= 0)
        {
            w.WriteString("nextToken", next.ToString(CultureInfo.InvariantCulture));
        }
    }

    public void Statistics(ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var query = Query(request);
        w.WriteStartObject("statistics");
        if (request.Text("aggregationField") is not { } name || name == "registry.version")
        {
            w.WriteNumber("count", index.Count(query));
        }
        else
        {
            var s = index.Statistics(query, IndexField.Parse(name, Refusal.InvalidAggregation));
            w.WriteNumber("count", s.Count);
            if (s.Numbers > 0)
            {
                var average = s.Sum / s.Numbers;
                var variance = Math.Max(0, (s.SumOfSquares / s.Numbers) - (average * average));
                w.WriteNumber("average", average);
                w.WriteNumber("sum", s.Sum);
                w.WriteNumber("minimum", s.Minimum);
                w.WriteNumber("maximum", s.Maximum);
                w.WriteNumber("sumOfSquares", s.SumOfSquares);
                w.WriteNumber("variance", variance);
                w.WriteNumber("stdDeviation", Math.Sqrt(variance));
            }
        }

        w.WriteEndObject();
    }

    public void Buckets(ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var query = Query(request);
        var field = IndexField.Parse(request.RequiredText("aggregationField"), Refusal.InvalidAggregation);
        var type = request.Object("bucketsAggregationType") ?? throw RefusedException.Invalid("bucketsAggregationType is missing");
        var terms = ControlPlaneRequest.Member(type, "termsAggregation", JsonValueKind.Object) ?? throw new RefusedException(Refusal.InvalidAggregation, "termsAggregation is missing");
        var (total, buckets) = index.Buckets(query, field, (int)(ControlPlaneRequest.Integer(terms, "maxBuckets", 1, MaxBuckets) ?? DefaultBuckets));
        w.WriteNumber("totalCount", total);
        w.WriteStartArray("buckets");
        foreach (var (value, count) in buckets)
        {
            w.WriteStartObject();
            w.WriteString("keyValue", value);
            w.WriteNumber("count", count);
            w.WriteEndObject();
        }

        w.WriteEndArray();
    }

    public void Cardinality(ControlPlaneRequest request, Utf8JsonWriter w) =>
        w.WriteNumber("cardinality", index.Cardinality(Query(request), IndexField.Parse(request.Text("aggregationField") ?? "registry.version", Refusal.InvalidAggregation)));

    /// <summary>What is indexed is fixed: registry, named shadows and connectivity.</summary>
    public static void Configuration(ControlPlaneRequest request, Utf8JsonWriter w)
    {
        w.WriteStartObject("thingIndexingConfiguration");
        w.WriteString("thingIndexingMode", "REGISTRY_AND_SHADOW");
        w.WriteString("thingConnectivityIndexingMode", "STATUS");
        w.WriteString("namedShadowIndexingMode", "ON");
        w.WriteEndObject();
        w.WriteStartObject("thingGroupIndexingConfiguration");
        w.WriteString("thingGroupIndexingMode", "OFF");
        w.WriteEndObject();
    }

    /// <summary>Accepts what is so already, so that a caller that prepares an account can run unchanged.</summary>
    public static void Configure(ControlPlaneRequest request, Utf8JsonWriter w)
    {
        if (request.Object("thingIndexingConfiguration") is { } things
            && (ControlPlaneRequest.Text(things, "thingIndexingMode") != "REGISTRY_AND_SHADOW"
                || ControlPlaneRequest.Text(things, "thingConnectivityIndexingMode") is "OFF" || ControlPlaneRequest.Text(things, "namedShadowIndexingMode") is "OFF"))
        {
            throw RefusedException.Invalid("this device plane always indexes the registry, named shadows and connectivity");
        }
    }

    public void Describe(ControlPlaneRequest request, Utf8JsonWriter w)
    {
        if (request.Path("indexName") != IndexName)
        {
            throw RefusedException.NotFound("the only index is AWS_Things");
        }

        w.WriteString("indexName", IndexName);
        w.WriteString("indexStatus", "ACTIVE");
        w.WriteString("schema", "REGISTRY_AND_SHADOW_AND_CONNECTIVITY_STATUS");
        w.WriteString("indexArn", arns.Index(IndexName));
    }

    private static IndexQuery Query(ControlPlaneRequest request)
    {
        if (request.Text("indexName") is { } name && name != IndexName)
        {
            throw RefusedException.NotFound($"there is no index '{name}'");
        }

        var text = request.Body.TryGetProperty("queryString", out var query) && query.ValueKind == JsonValueKind.String ? query.GetString()! : throw RefusedException.Invalid("queryString is missing");
        return IndexQueryParser.Parse(text);
    }

    private static void Write(Utf8JsonWriter w, IndexedThing thing)
    {
        w.WriteStartObject();
        w.WriteString("thingName", thing.Record.Name);
        w.WriteString("thingId", thing.Record.Id);
        w.WriteStartArray("thingGroupNames");
        foreach (var group in thing.Record.Groups)
        {
            w.WriteStringValue(group);
        }

        w.WriteEndArray();
        RegistryApi.WriteMap(w, "attributes", thing.Record.Attributes);
        var shadows = thing.Shadows.Where(s => !s.IsDeleted).ToList();
        if (shadows.Count > 0)
        {
            w.WriteString("shadow", PlaneJson.Object(s => WriteShadows(s, shadows)));
        }

        w.WriteStartObject("connectivity");
        w.WriteBoolean("connected", thing.Connected);
        if (thing.Record.SeenMs > 0)
        {
            w.WriteNumber("timestamp", thing.Record.SeenMs);
        }

        w.WriteEndObject();
        w.WriteEndObject();
    }

    private static void WriteShadows(Utf8JsonWriter w, List<NamedShadow> shadows)
    {
        w.WriteStartObject("name");
        foreach (var shadow in shadows)
        {
            w.WriteStartObject(shadow.Name);
            if (shadow.Desired is not null)
            {
                w.WritePropertyName("desired");
                w.WriteRawValue(shadow.Desired, skipInputValidation: true);
            }

            if (shadow.Reported is not null)
            {
                w.WritePropertyName("reported");
                w.WriteRawValue(shadow.Reported, skipInputValidation: true);
            }

            w.WriteBoolean("hasDelta", shadow.HasDelta);
            w.WriteNumber("version", shadow.Version);
            w.WriteEndObject();
        }

        w.WriteEndObject();
    }
}
