namespace OtaOrchestrator.Router.Routes;

/// <summary>
/// Which requests a route is for. It belongs to whoever runs the router, not to the orchestrator: <c>--match api=api.example.com/v1</c>.
/// A route that has none takes everything that no other takes; only one may do so.
/// </summary>
/// <param name="Host">Null for any; compared without case and port.</param>
/// <param name="Path">A prefix of whole segments, starting with a slash.</param>
internal sealed record RouteMatch(string? Host, string Path)
{
    public static readonly RouteMatch Everything = new(null, "/");

    /// <summary>Longer is more specific.</summary>
    public int Precision => (Host is null ? 0 : 10_000) + Path.Length;

    public bool Accepts(string host, PathString path) =>
        (Host is null || Host.Equals(host, StringComparison.OrdinalIgnoreCase)) && (Path == "/" || path.StartsWithSegments(Path, StringComparison.Ordinal));

    /// <summary>Reads <c>NAME=[HOST][/PATH]</c>; null when it is not that.</summary>
    public static KeyValuePair<string, RouteMatch>? Parse(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals < 1 || !RouteValidator.IsName(text[..equals]) || equals == text.Length - 1)
        {
            return null;
        }
        string rest = text[(equals + 1)..];
        int slash = rest.IndexOf('/', StringComparison.Ordinal);
        string host = slash < 0 ? rest : rest[..slash];
        string path = slash < 0 ? "/" : rest[slash..].TrimEnd('/');
        if (host.Length > 0 && Uri.CheckHostName(host) == UriHostNameType.Unknown)
        {
            return null;
        }
        return new(text[..equals], new RouteMatch(host.Length == 0 ? null : host.ToLowerInvariant(), path.Length == 0 ? "/" : path));
    }
}
