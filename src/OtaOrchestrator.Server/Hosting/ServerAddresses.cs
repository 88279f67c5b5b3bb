namespace OtaOrchestrator.Server.Hosting;

/// <summary>Where this server is reached, once it has started.</summary>
public sealed class ServerAddresses
{
    /// <summary>Changes at every start.</summary>
    public string StartId { get; } = Guid.NewGuid().ToString("n");

    /// <summary><c>https://host:port</c>.</summary>
    public string Grpc { get; set; } = "";

    /// <summary><c>host:port</c>.</summary>
    public string Mqtt { get; set; } = "";

    /// <summary><c>https://host:port</c>.</summary>
    public string Firmware { get; set; } = "";

    /// <summary>Null when closed.</summary>
    public string? ControlPlane { get; set; }
}
