namespace OtaOrchestrator.Server.Hosting;

/// <summary>Where an installation keeps its things. The CLI on the same machine finds the server by it.</summary>
public sealed class Home(string root)
{
    public string Root { get; } = Path.GetFullPath(root);
    public string Server => Path.Combine(Root, "server");
    public string Client => Path.Combine(Root, "client");
    public string Pki => Path.Combine(Server, "pki");
    public string Firmware => Path.Combine(Server, "firmware");
    public string Uploads => Path.Combine(Server, "uploads");
    public string Database => Path.Combine(Server, "ota.db");
    public string Endpoint => Path.Combine(Server, "endpoint.json");
    public string ControlPlaneCredentials => Path.Combine(Server, "control-plane.json");

    /// <summary>The same credentials in the form that AWS's tools read.</summary>
    public string ControlPlaneProfile => Path.Combine(Server, "control-plane.credentials");

    /// <summary><c>$OTA_HOME</c>, else <c>$XDG_DATA_HOME/ota</c>, else <c>~/.local/share/ota</c>.</summary>
    public static string Default()
    {
        if (Environment.GetEnvironmentVariable("OTA_HOME") is { Length: > 0 } home)
        {
            return home;
        }
        var data = Environment.GetEnvironmentVariable("XDG_DATA_HOME") is { Length: > 0 } xdg
            ? xdg
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "share");
        return Path.Combine(data, "ota");
    }

    public void Create()
    {
        foreach (var directory in (string[])[Root, Server, Client, Pki, Firmware, Uploads])
        {
            Directory.CreateDirectory(directory);
            File.SetUnixFileMode(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
