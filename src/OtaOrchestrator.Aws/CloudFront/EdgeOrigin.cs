using Amazon.CloudFront.Model;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.CloudFront;

/// <summary>Where a distribution's default behaviour fetches from: all that a rollout changes of it.</summary>
/// <param name="Path">Empty, or begins with a slash and does not end with one.</param>
internal readonly record struct EdgeOrigin(string Host, string Path)
{
    public const string Artifact = "cloudfront";

    /// <exception cref="TargetException">The release does not say where CloudFront finds it.</exception>
    public static EdgeOrigin Of(TargetRelease release) =>
        release.Artifacts.TryGetValue(Artifact, out var artifact) && Uri.TryCreate(artifact, UriKind.Absolute, out var uri)
            && uri is { Scheme: "https", IsDefaultPort: true, Query: "", Fragment: "", UserInfo: "" }
            ? new EdgeOrigin(uri.Host, uri.AbsolutePath.TrimEnd('/'))
            : throw new TargetException($"{release} has no artifact {Artifact} of the form https://host/path");

    /// <summary>Null where the default behaviour has a group of origins, which no rollout can be sure of.</summary>
    public static EdgeOrigin? Of(DistributionConfig config) => Default(config) is { } origin ? new EdgeOrigin(origin.DomainName, origin.OriginPath ?? "") : null;

    public void ApplyTo(DistributionConfig config)
    {
        var origin = Default(config) ?? throw new TargetException("the default behaviour has no single origin any more");
        (origin.DomainName, origin.OriginPath) = (Host, Path);
    }

    public override string ToString() => $"https://{Host}{Path}";

    private static Origin? Default(DistributionConfig config) => config.Origins.Items.Find(origin => origin.Id == config.DefaultCacheBehavior.TargetOriginId);
}
