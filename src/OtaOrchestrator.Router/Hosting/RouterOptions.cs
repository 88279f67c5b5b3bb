using System.Net;
using OtaOrchestrator.Router.Routes;

namespace OtaOrchestrator.Router.Hosting;

/// <summary>
/// How a router runs. Each option can be given on the command line (<c>--admin-listen</c>), in the environment (<c>OTA_ROUTER_ADMIN_LISTEN</c>) or in a JSON
/// file named by <c>--config</c> (<c>"admin-listen"</c>), the first of these that has it counts.
/// </summary>
internal sealed record RouterOptions
{
    /// <summary>Where clients come in, over TLS (HTTP/1.1 and 2). Port 0 takes a free one.</summary>
    public required IPEndPoint Listen { get; init; }

    /// <summary>Where the orchestrator comes in, over mutual TLS.</summary>
    public required IPEndPoint AdminListen { get; init; }

    public required string TlsCert { get; init; }
    public required string TlsKey { get; init; }

    /// <summary>Certificate of the admin listener; the public one when not given.</summary>
    public string? AdminCert { get; init; }
    public string? AdminKey { get; init; }

    /// <summary>Authority of the client certificates that may administer.</summary>
    public required string AdminCa { get; init; }

    /// <summary>Common names of these certificates.</summary>
    public IReadOnlyList<string> AdminNames { get; init; } = ["orchestrator"];

    /// <summary>Authority of the back ends' certificates; the system's when not given.</summary>
    public string? BackendCa { get; init; }

    public bool AllowPlaintextBackends { get; init; }

    /// <summary>The last accepted configuration.</summary>
    public required string State { get; init; }

    /// <summary>Which requests a route is for; see <see cref="RouteMatch"/>.</summary>
    public IReadOnlyDictionary<string, RouteMatch> Matches { get; init; } = new Dictionary<string, RouteMatch>(StringComparer.Ordinal);

    /// <summary>Routes to begin with where the state has none of that name, with fence (0, 0).</summary>
    public IReadOnlyDictionary<string, Variant> Baselines { get; init; } = new Dictionary<string, Variant>(StringComparer.Ordinal);

    /// <summary>Preview token of each route that has none of its own.</summary>
    public string? PreviewToken { get; init; }

    /// <summary>Written as JSON when both listeners serve.</summary>
    public string? ReadyFile { get; init; }

    /// <summary>How long requests under way may take when the router is told to stop. At or above the longest request.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a request or stream may be without a byte in either direction.</summary>
    public TimeSpan ActivityTimeout { get; init; } = TimeSpan.FromSeconds(100);

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);
    public TimeSpan ProbeInterval { get; init; } = TimeSpan.FromSeconds(1);
    public string HealthPath { get; init; } = "/healthz";
    public long RequestBodyBytesMax { get; init; } = 100L * 1024 * 1024;

    /// <summary>Methods of requests that may be copied to a candidate. Others do something, and would do it twice.</summary>
    public IReadOnlyList<string> MirrorMethods { get; init; } = ["GET", "HEAD", "OPTIONS"];

    /// <summary>How long a destination that is going may keep its last requests and streams before that is told.</summary>
    public TimeSpan DrainPatience { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Takes listeners and state over from the router that serves with the same state file.</summary>
    public bool TakeOver { get; init; }

    /// <summary>Adds <c>x-ota-release</c> to each answer.</summary>
    public bool ShowRelease { get; init; }
}
