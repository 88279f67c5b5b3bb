using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Amazon.CloudFront.Model;
using Amazon.Runtime;

namespace OtaOrchestrator.Aws.CloudFront;

/// <summary>The staging distribution of a rollout, and the policy that sends it users.</summary>
internal sealed record EdgePair(string Staging, string Domain, string Policy);

/// <summary>What the users of a distribution get.</summary>
/// <param name="Origin">Of the primary distribution's default behaviour.</param>
/// <param name="Rest">Digest of everything else that its users can notice.</param>
/// <param name="Foreign">A policy that is not the rollout's; empty for none.</param>
/// <param name="Traffic">Who gets the staging distribution: empty for nobody, <c>header …</c>, or a share.</param>
/// <param name="Staged">What these get: <see cref="Own"/>, or a digest of something else; empty when nobody does.</param>
/// <param name="Tag">ETag of the primary distribution.</param>
/// <param name="Since">Epoch seconds when this was read first.</param>
internal sealed record EdgeState(string Origin, string Rest, string Foreign, string Traffic, string Staged, string Tag, long Since)
{
    /// <summary>What the rollout makes of the primary distribution as it is now.</summary>
    public const string Own = "candidate";

    /// <summary>What a rollout made, to find it again.</summary>
    public EdgePair? Pair { get; init; }

    public double Weight => double.TryParse(Traffic, CultureInfo.InvariantCulture, out double weight) ? weight : 0;

    public static EdgeState? Parse(string? json) => json is null ? null : JsonSerializer.Deserialize<EdgeState>(json);

    public string ToJson() => JsonSerializer.Serialize(this);

    /// <summary>Users get the same as when it was seen, or the rollout's own instead of something else; whatever the ETag.</summary>
    public bool Serves(EdgeState seen) => (Origin, Rest, Foreign, Traffic) == (seen.Origin, seen.Rest, seen.Foreign, seen.Traffic) && (Staged == seen.Staged || Staged == Own);

    public override string ToString() => (Traffic, Weight) switch
    {
        ("", _) => $"all to {Origin}",
        (_, 0) => $"all but testers to {Origin}",
        (_, var weight) => string.Create(CultureInfo.InvariantCulture, $"{weight:0.##%} to the staging distribution, the others to {Origin}"),
    } + (Foreign.Length > 0 ? $" under the policy {Foreign}" : "");

    /// <summary>Nothing of a staging distribution's or a primary one's own, and no origin: equal in both when one was copied from the other.</summary>
    public static string DigestOf(DistributionConfig config, bool withOrigin = false)
    {
        var plain = (JsonObject)JsonSerializer.SerializeToNode(config, Plain)!;
        foreach (var own in (string[])["CallerReference", "Aliases", "Staging", "ContinuousDeploymentPolicyId", "Enabled"])
        {
            plain.Remove(own);
        }

        var origin = plain["Origins"]!["Items"]!.AsArray().FirstOrDefault(one => (string?)one!["Id"] == config.DefaultCacheBehavior.TargetOriginId);
        if (!withOrigin)
        {
            origin?.AsObject().Remove("DomainName");
            origin?.AsObject().Remove("OriginPath");
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Ordered(plain)!.ToJsonString())))[..16];
    }

    private static readonly JsonSerializerOptions Plain = new() { Converters = { new WordConverter() } };

    /// <summary>Lists of a distribution's configuration are sets, whose order is nobody's.</summary>
    private static JsonNode? Ordered(JsonNode? node) => node switch
    {
        JsonObject thing => new JsonObject(thing.OrderBy(member => member.Key, StringComparer.Ordinal).Select(member => KeyValuePair.Create(member.Key, Ordered(member.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Ordered).OrderBy(one => one?.ToJsonString(), StringComparer.Ordinal)]),
        _ => node?.DeepClone(),
    };

    /// <summary>The SDK's enumerations are classes; what counts is their word.</summary>
    private sealed class WordConverter : System.Text.Json.Serialization.JsonConverter<ConstantClass>
    {
        public override bool CanConvert(Type typeToConvert) => typeof(ConstantClass).IsAssignableFrom(typeToConvert);

        public override ConstantClass Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, ConstantClass value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);
    }
}
