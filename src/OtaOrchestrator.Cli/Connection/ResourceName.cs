using System.Buffers;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Connection;

/// <summary>What people type and what goes over the wire: <c>autumn</c> and <c>environments/production/rollouts/autumn</c>.</summary>
internal static class ResourceName
{
    private const int LengthMax = 512;
    private static readonly SearchValues<char> NotInIds = SearchValues.Create("/\\ \t\r\n");

    public static string Environment(string id) => "environments/" + Id(id, "environment");

    public static string Release(string text) => text.StartsWith("releases/", StringComparison.Ordinal) ? text : "releases/" + Id(text, "release");

    public static string Last(string name) => name[(name.LastIndexOf('/') + 1)..];

    /// <summary>The version of <c>name@version</c>, with or without a path before it.</summary>
    public static string Version(string release) => release[(release.IndexOf('@', StringComparison.Ordinal) + 1)..];

    /// <summary>A name as typed: whole, or the id alone inside the context's environment.</summary>
    public static async Task<string> InEnvironment(Session session, string collection, string text)
    {
        if (text.StartsWith("environments/", StringComparison.Ordinal))
        {
            return text;
        }
        return $"{await Context(session)}/{collection}/{Id(text, collection.TrimEnd('s'))}";
    }

    /// <summary>The environment that a command is about: named, chosen, or the only one there is.</summary>
    public static async Task<string> Context(Session session)
    {
        var chosen = session.Get(GlobalOptions.Environment) ?? NotEmpty(session.Host.Variable("OTA_ENV"))
            ?? (File.Exists(session.Home.ChosenEnvironment) ? NotEmpty((await File.ReadAllTextAsync(session.Home.ChosenEnvironment, session.Cancellation)).Trim()) : null);
        if (chosen is not null)
        {
            return chosen.StartsWith("environments/", StringComparison.Ordinal) ? chosen : Environment(chosen);
        }
        var known = await session.Api.Call((api, options) => api.Environments.ListEnvironmentsAsync(new ListEnvironmentsRequest { PageSize = 10 }, options), session.Cancellation);
        return known.Environments.Count switch
        {
            1 => known.Environments[0].Name,
            0 => throw new CliFailure(ExitCode.Failure, "there is no environment yet", "ota env create NAME"),
            _ => throw new CliFailure(ExitCode.Ambiguous, $"which environment? there are {string.Join(", ", known.Environments.Select(e => Last(e.Name)))}",
                "say --env NAME, or choose one: ota env use NAME"),
        };
    }

    private static string? NotEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    /// <summary>Keeps what would change the path from ever being sent; the server checks the rest.</summary>
    private static string Id(string text, string what)
    {
        if (text.Length is 0 or > LengthMax || text.AsSpan().ContainsAny(NotInIds) || text is "." or "..")
        {
            throw new CliFailure(ExitCode.Usage, $"`{(text.Length > 60 ? text[..60] + "..." : text)}` can't be the name of a {what}");
        }
        return text;
    }
}
