using System.CommandLine;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

/// <summary>How a fleet on AWS IoT is reached, where a target is made and where things are adopted.</summary>
internal static class IotPlaceOptions
{
    public static Option<string?> Edge() => new("--firmware-edge")
    {
        Description = "The distribution of CloudFront that hands the firmware out, its domain, and the id of the public key that it checks links with.",
        HelpName = "DISTRIBUTION/DOMAIN/KEY-ID",
    };

    /// <summary>What on the devices takes updates.</summary>
    public static Option<string> Agent()
    {
        var agent = new Option<string>("--agent") { Description = "ota: takes signed documents. freertos: takes AWS IoT OTA updates and refuses lower versions; it returns by a twin (release publish --twin-of).", DefaultValueFactory = _ => "ota" };
        agent.AcceptOnlyFromAmong("ota", "freertos");
        return agent;
    }

    public static DeviceAgent AgentOf(string? agent) => agent == "freertos" ? DeviceAgent.Freertos : DeviceAgent.Unspecified;

    /// <summary>What a fleet's firmware is handed out by; null when nothing was given.</summary>
    public static FirmwareEdge? EdgeOf(string? given) => given?.Split('/') switch
    {
        null => null,
        [{ Length: > 0 } distribution, { Length: > 0 } domain, { Length: > 0 } key] => new FirmwareEdge { Distribution = distribution, Domain = domain, KeyPairId = key },
        _ => throw new CliFailure(ExitCode.Usage, $"--firmware-edge {given} is not a distribution, its domain and a key's id", "DISTRIBUTION/DOMAIN/KEY-ID"),
    };
}
