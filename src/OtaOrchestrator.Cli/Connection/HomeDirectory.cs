namespace OtaOrchestrator.Cli.Connection;

/// <summary>Where the files of server and client on this machine are.</summary>
internal sealed record HomeDirectory(string Path)
{
    public string Endpoint => System.IO.Path.Combine(Path, "server", "endpoint.json");
    public string ServerCa => System.IO.Path.Combine(Path, "client", "server-ca.crt");
    public string ChosenEnvironment => System.IO.Path.Combine(Path, "client", "environment");
    public string Kits => System.IO.Path.Combine(Path, "client", "kits");
    public string Pki => System.IO.Path.Combine(Path, "server", "pki");

    public string Certificate(string actor) => System.IO.Path.Combine(Path, "client", actor + ".crt");

    public string Key(string actor) => System.IO.Path.Combine(Path, "client", actor + ".key");

    public static HomeDirectory Of(string? given, Func<string, string?> variable)
    {
        var path = given ?? NotEmpty(variable("OTA_HOME"));
        if (path is null)
        {
            var data = NotEmpty(variable("XDG_DATA_HOME"))
                ?? System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "share");
            path = System.IO.Path.Combine(data, "ota");
        }
        return new HomeDirectory(System.IO.Path.GetFullPath(path));
    }

    private static string? NotEmpty(string? value) => string.IsNullOrEmpty(value) ? null : value;
}
