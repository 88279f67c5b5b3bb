using System.CommandLine;

namespace OtaOrchestrator.Cli;

/// <summary>Options that every command takes.</summary>
internal static class GlobalOptions
{
    public static readonly Option<string?> Home = Text("--home", "Where server and client keep their files. $OTA_HOME, else $XDG_DATA_HOME/ota, else ~/.local/share/ota.", "DIR");
    public static readonly Option<string?> Environment = Text("--env", "The environment. $OTA_ENV, else the one chosen by `ota env use`, else the only one.", "NAME", "-e");
    public static readonly Option<string?> Server = Text("--server", "The server's address, https://host:port; else the one that runs in the home.", "URL");
    public static readonly Option<string?> Actor = Text("--as", "Act with this operator's certificate. $OTA_AS, else admin.", "NAME");
    public static readonly Option<bool> Json = new("--json") { Description = "Exactly one JSON document on stdout, progress on stderr.", Recursive = true };
    public static readonly Option<bool> NoColor = new("--no-color") { Description = "No colour. Also $NO_COLOR.", Recursive = true };
    public static readonly Option<bool> Quiet = new("--quiet", "-q") { Description = "Results and errors only.", Recursive = true };

    public static void AddTo(RootCommand root)
    {
        root.Options.Add(Home);
        root.Options.Add(Environment);
        root.Options.Add(Server);
        root.Options.Add(Actor);
        root.Options.Add(Json);
        root.Options.Add(NoColor);
        root.Options.Add(Quiet);
    }

    private static Option<string?> Text(string name, string description, string value, params string[] aliases) =>
        new(name, aliases) { Description = description, HelpName = value, Recursive = true };
}
