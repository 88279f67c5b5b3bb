using System.ComponentModel.DataAnnotations;

namespace OtaOrchestrator.Aws.Clients;

/// <summary>How AWS is called.</summary>
public sealed class AwsClientsOptions
{
    /// <summary>Calls to one service in one region in a second, so that an account's own use is not starved. Lambda's own limit on its control plane is 15.</summary>
    [Range(0.1, 1000)]
    public double CallsPerSecond { get; set; } = 5;

    /// <summary>The SDK repeats a call that failed for a reason that may pass so often.</summary>
    [Range(0, 10)]
    public int RetriesMax { get; set; } = 3;

    /// <summary>One attempt of a call is given up after this.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00")]
    public TimeSpan CallTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>One attempt to bring a part of an image to S3 is given up after this.</summary>
    [Range(typeof(TimeSpan), "00:00:05", "01:00:00")]
    public TimeSpan TransferTimeout { get; set; } = TimeSpan.FromMinutes(2);
}
