using System.Net;

namespace OtaOrchestrator.Server.Hosting;

/// <summary>How the program was started. With nothing given, the embedded stack starts on loopback.</summary>
public sealed record ServerOptions
{
    public const string Usage =
        """
        OtaOrchestrator.Server [--home DIR] [--listen HOST:PORT] [--mqtt HOST:PORT] [--firmware HOST:PORT] [--control-plane HOST:PORT] [--public-host NAME]
        OtaOrchestrator.Server operator issue NAME [--home DIR]

          --home           where everything is kept; $OTA_HOME, else ~/.local/share/ota
          --listen         gRPC and HTTP/JSON for operators, 127.0.0.1:8443
          --mqtt           devices, 127.0.0.1:8883
          --firmware       firmware for devices, 127.0.0.1:8444
          --control-plane  AWS IoT's control plane for AWS tooling, closed when not given
          --public-host    how devices reach this host; the firmware address when not given
        Port 0 takes a free one. Every port speaks TLS only.
        """;

    public Home Home { get; init; } = new(Home.Default());
    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, 8443);
    public IPEndPoint Mqtt { get; init; } = new(IPAddress.Loopback, 8883);
    public IPEndPoint Firmware { get; init; } = new(IPAddress.Loopback, 8444);
    public IPEndPoint? ControlPlane { get; init; }
    public string? PublicHost { get; init; }

    /// <summary>The operator to issue a certificate for; the server itself is not started then.</summary>
    public string? IssueOperator { get; init; }

    /// <summary><c>POINT:N</c>: the process kills itself when it comes to the point for the N-th time. For crash tests.</summary>
    public string? CrashAt { get; init; }

    /// <summary>A file to which each point that is passed is written. For crash tests.</summary>
    public string? Points { get; init; }

    /// <summary>Null with what is wrong when the arguments make no sense.</summary>
    public static (ServerOptions? Options, string Problem) Parse(IReadOnlyList<string> arguments)
    {
        var options = new ServerOptions();
        for (int i = 0; i < arguments.Count; i++)
        {
            var name = arguments[i];
            if (name == "operator" && arguments.Count > i + 2 && arguments[i + 1] == "issue")
            {
                if (!Core.Plans.Names.IsValid(arguments[i + 2]))
                {
                    return (null, $"{Core.Plans.Names.Shown(arguments[i + 2])} is not a name ({Core.Plans.Names.Rule})");
                }
                if (arguments[i + 2] == Pki.ServerPki.OrchestratorName)
                {
                    return (null, $"{arguments[i + 2]} is this server's own name, and nobody's who asks it for anything");
                }
                options = options with { IssueOperator = arguments[i + 2] };
                i += 2;
                continue;
            }
            if (i + 1 >= arguments.Count)
            {
                return (null, $"{name} wants a value or is not known");
            }
            var value = arguments[++i];
            IPEndPoint? endpoint = null;
            if (name is "--listen" or "--mqtt" or "--firmware" or "--control-plane" && !TryEndpoint(value, out endpoint))
            {
                return (null, $"{name} {value} is not HOST:PORT");
            }
            switch (name)
            {
                case "--home": options = options with { Home = new Home(value) }; break;
                case "--listen": options = options with { Listen = endpoint! }; break;
                case "--mqtt": options = options with { Mqtt = endpoint! }; break;
                case "--firmware": options = options with { Firmware = endpoint! }; break;
                case "--control-plane": options = options with { ControlPlane = endpoint }; break;
                case "--public-host": options = options with { PublicHost = value }; break;
                case "--crash-at": options = options with { CrashAt = value }; break;
                case "--points": options = options with { Points = value }; break;
                default: return (null, $"{name} is not known");
            }
        }
        return (options, "");
    }

    private static bool TryEndpoint(string text, out IPEndPoint? endpoint)
    {
        text = text.StartsWith("localhost:", StringComparison.Ordinal) ? "127.0.0.1:" + text["localhost:".Length..] : text;
        endpoint = null;
        return text.Contains(':', StringComparison.Ordinal) && IPEndPoint.TryParse(text, out endpoint);
    }
}
