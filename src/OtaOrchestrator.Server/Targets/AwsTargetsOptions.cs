using System.ComponentModel.DataAnnotations;

namespace OtaOrchestrator.Server.Targets;

/// <summary>How targets on AWS are observed.</summary>
public sealed class AwsTargetsOptions
{
    /// <summary>The length of CloudWatch's periods; a minute for what AWS itself counts.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan MetricsPeriod { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>The private key (PEM, RSA) with which links to firmware are signed, where a fleet's images are handed out by CloudFront. Read when it is first needed, kept nowhere else.</summary>
    public string? FirmwareLinkKeyFile { get; set; }
}
