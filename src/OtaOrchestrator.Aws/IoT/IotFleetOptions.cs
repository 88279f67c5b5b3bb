using System.ComponentModel.DataAnnotations;

namespace OtaOrchestrator.Aws.IoT;

/// <summary>How a fleet is driven on AWS IoT. The defaults fit the embedded device plane and a fresh AWS account.</summary>
public sealed class IotFleetOptions
{
    /// <summary>After the withdrawal an update that is still in progress may go on for so long, then it is cancelled by force.</summary>
    public TimeSpan WithdrawalGrace { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>Executions cancelled by force in one call; the rest wait for the next one.</summary>
    [Range(1, 10_000)]
    public int ForcedCancelsPerCallMax { get; set; } = 200;

    /// <summary>An update that a device started and neither ended nor reported on; the service ends it then. 1 minute to 7 days.</summary>
    public TimeSpan InProgressTimeout { get; set; } = TimeSpan.FromHours(24);

    /// <summary>
    /// The dead man's switch, in percent: if the orchestrator is gone, AWS itself stops a job of which so many executions failed.
    /// Looser than any plan's own limit, which the judge enforces.
    /// </summary>
    [Range(1, 100)]
    public double AbortPercent { get; set; } = 50;

    /// <summary>The dead man's switch looks only once so many devices have ended.</summary>
    [Range(1, int.MaxValue)]
    public int AbortAfterDevices { get; set; } = 20;

    /// <summary>How long a firmware link lives. 1 minute to 1 hour; a device gets a new one each time it fetches its document.</summary>
    public TimeSpan LinkLife { get; set; } = TimeSpan.FromHours(1);

    /// <summary>The role that AWS assumes to sign firmware links. The embedded plane needs none.</summary>
    public string? PresignRoleArn { get; set; }

    /// <summary>Where the images lie, for the updates of FreeRTOS's OTA agent. The embedded plane takes any name for its own store.</summary>
    public string FirmwareBucket { get; set; } = "ota-firmware";

    /// <summary>Devices heard of within this time count as reachable for a step's reach.</summary>
    public TimeSpan ReachableWithin { get; set; } = TimeSpan.FromDays(7);
}
