using System.Globalization;
using System.Net;
using OtaOrchestrator.Router.Routes;

namespace OtaOrchestrator.Router.Hosting;

/// <summary>Reads the options from command line, environment and file, and reports everything that is wrong with them at once.</summary>
internal sealed class OptionsReader
{
    private const string EnvironmentPrefix = "OTA_ROUTER_";

    // Option, what follows it, what it is for. A trailing + may be repeated on the command line and is a list, separated by blanks, elsewhere.
    private static readonly (string Name, string Value, string Text)[] Known =
    [
        ("config", "FILE", "JSON file with options, for example {\"listen\": \"0.0.0.0:443\"}"),
        ("listen", "HOST:PORT", "clients, over TLS; port 0 takes a free one"),
        ("admin-listen", "HOST:PORT", "administration, over mutual TLS"),
        ("tls-cert", "FILE", "certificate (PEM, then its intermediates)"),
        ("tls-key", "FILE", "its key (PEM)"),
        ("admin-cert", "FILE", "another certificate for the administration"),
        ("admin-key", "FILE", "its key"),
        ("admin-ca", "FILE", "authority of the client certificates that may administer"),
        ("admin-name", "CN+", "common names that may administer [orchestrator]"),
        ("backend-ca", "FILE", "authority of the back ends' certificates [the system's]"),
        ("allow-plaintext-backends", "BOOL", "back ends may be http [false]"),
        ("state", "FILE", "where the last accepted configuration is kept"),
        ("match", "NAME=[HOST][/PATH]+", "requests that a route is for [everything]"),
        ("baseline", "NAME=RELEASE=URL[,URL]+", "route to begin with where the state has none"),
        ("preview-token-file", "FILE", "token that lets a request see the candidate"),
        ("ready-file", "FILE", "written when both listeners serve"),
        ("grace-seconds", "N", "for requests under way at the end [30]"),
        ("activity-timeout-seconds", "N", "longest silence in a request or stream [100]"),
        ("connect-timeout-ms", "N", "for connections to back ends [5000]"),
        ("probe-interval-ms", "N", "between looks at a back end's health [1000]"),
        ("health-path", "PATH", "where a back end says how it is [/healthz]"),
        ("request-body-bytes-max", "N", "largest request body [104857600]"),
        ("mirror-methods", "METHOD+", "methods that may be copied to a candidate [GET HEAD OPTIONS]"),
        ("drain-seconds", "N", "for the last requests of a destination before they are told of [300]"),
        ("take-over", "BOOL", "from the router that serves with this state, if one does [false]"),
        ("show-release", "BOOL", "adds x-ota-release to each answer [false]"),
    ];

    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    private readonly List<string> _problems = [];

    public static string Usage => "usage: OtaOrchestrator.Router --listen HOST:PORT --admin-listen HOST:PORT --tls-cert FILE --tls-key FILE --admin-ca FILE --state FILE [options]\n"
        + string.Join('\n', Known.Select(option => $"  --{option.Name + " " + option.Value.TrimEnd('+'),-42} {option.Text}"))
        + $"\nEach can be given as {EnvironmentPrefix}NAME in the environment too, with _ for -.";

    public static (RouterOptions? Options, IReadOnlyList<string> Problems) Read(IReadOnlyList<string> arguments, Func<string, string?> environment)
    {
        var reader = new OptionsReader();
        reader.ReadCommandLine(arguments);
        foreach (var (name, _, _) in Known)
        {
            string variable = EnvironmentPrefix + name.Replace('-', '_').ToUpperInvariant();
            if (!reader._values.ContainsKey(name) && environment(variable) is { Length: > 0 } value)
            {
                reader._values[name] = value;
            }
        }
        if (reader._values.TryGetValue("config", out string? file))
        {
            reader.ReadFile(file);
        }
        var options = reader.Bind();
        return (reader._problems.Count == 0 ? options : null, reader._problems);
    }

    private static bool IsList(string name) => Array.Exists(Known, option => option.Name == name && option.Value.EndsWith('+'));

    private static bool IsKnown(string name) => Array.Exists(Known, option => option.Name == name);

    private void ReadCommandLine(IReadOnlyList<string> arguments)
    {
        for (int i = 0; i < arguments.Count; i++)
        {
            string name = arguments[i].StartsWith("--", StringComparison.Ordinal) ? arguments[i][2..] : "";
            if (!IsKnown(name))
            {
                _problems.Add($"{arguments[i]} is not an option");
                continue;
            }
            bool flag = Array.Exists(Known, option => option.Name == name && option.Value == "BOOL");
            bool hasValue = i + 1 < arguments.Count && !arguments[i + 1].StartsWith("--", StringComparison.Ordinal);
            if (!hasValue && !flag)
            {
                _problems.Add($"--{name} lacks its value");
                continue;
            }
            string value = hasValue ? arguments[++i] : "true";
            if (_values.TryGetValue(name, out string? before))
            {
                if (!IsList(name))
                {
                    _problems.Add($"--{name} is given twice");
                    continue;
                }
                value = before + " " + value;
            }
            _values[name] = value;
        }
    }

    private void ReadFile(string file)
    {
        IConfigurationRoot configuration;
        try
        {
            configuration = new ConfigurationBuilder().AddJsonFile(Path.GetFullPath(file), optional: false).Build();
        }
        catch (Exception error) when (error is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            _problems.Add($"--config: {file} can't be read as JSON");
            return;
        }
        foreach (var entry in configuration.GetChildren())
        {
            if (!IsKnown(entry.Key) || entry.Key == "config")
            {
                _problems.Add($"{file}: {entry.Key} is not an option");
                continue;
            }
            string value = entry.Value ?? string.Join(' ', entry.GetChildren().Select(child => child.Value));
            _values.TryAdd(entry.Key, value);
        }
    }

    private RouterOptions Bind()
    {
        string? previewFile = File_("preview-token-file", required: false);
        return new RouterOptions
        {
            Listen = EndPoint("listen"),
            AdminListen = EndPoint("admin-listen"),
            TlsCert = File_("tls-cert", required: true) ?? "",
            TlsKey = File_("tls-key", required: true) ?? "",
            AdminCert = File_("admin-cert", required: _values.ContainsKey("admin-key")),
            AdminKey = File_("admin-key", required: _values.ContainsKey("admin-cert")),
            AdminCa = File_("admin-ca", required: true) ?? "",
            AdminNames = _values.ContainsKey("admin-name") ? List("admin-name") : ["orchestrator"],
            BackendCa = File_("backend-ca", required: false),
            AllowPlaintextBackends = Flag("allow-plaintext-backends"),
            State = Required("state"),
            Matches = Matches(),
            Baselines = Baselines(),
            PreviewToken = previewFile is null ? null : Token(previewFile),
            ReadyFile = _values.GetValueOrDefault("ready-file"),
            Grace = TimeSpan.FromSeconds(Number("grace-seconds", 30, 0, 3600)),
            ActivityTimeout = TimeSpan.FromSeconds(Number("activity-timeout-seconds", 100, 1, 86_400)),
            ConnectTimeout = TimeSpan.FromMilliseconds(Number("connect-timeout-ms", 5_000, 10, 60_000)),
            ProbeInterval = TimeSpan.FromMilliseconds(Number("probe-interval-ms", 1_000, 50, 60_000)),
            HealthPath = HealthPath(),
            RequestBodyBytesMax = Number("request-body-bytes-max", 100L * 1024 * 1024, 0, long.MaxValue),
            MirrorMethods = _values.ContainsKey("mirror-methods") ? List("mirror-methods") : ["GET", "HEAD", "OPTIONS"],
            DrainPatience = TimeSpan.FromSeconds(Number("drain-seconds", 300, 1, 86_400)),
            TakeOver = Flag("take-over"),
            ShowRelease = Flag("show-release"),
        };
    }

    private string Required(string name)
    {
        if (_values.GetValueOrDefault(name) is { Length: > 0 } value)
        {
            return value;
        }
        _problems.Add($"--{name} is required");
        return "";
    }

    private string? File_(string name, bool required)
    {
        string? file = required ? Required(name) : _values.GetValueOrDefault(name);
        if (!string.IsNullOrEmpty(file) && !File.Exists(file))
        {
            _problems.Add($"--{name}: there is no file {file}");
        }
        return file;
    }

    private IPEndPoint EndPoint(string name)
    {
        string text = Required(name);
        string bare = text.StartsWith("https://", StringComparison.Ordinal) ? text["https://".Length..].TrimEnd('/') : text;
        bare = bare.StartsWith("localhost:", StringComparison.Ordinal) ? "127.0.0.1:" + bare["localhost:".Length..] : bare;
        if (bare.LastIndexOf(':') > bare.LastIndexOf(']') && IPEndPoint.TryParse(bare, out var found))
        {
            return found;
        }
        if (text.Length > 0)
        {
            _problems.Add($"--{name}: '{text}' is not an IP address and a port, such as 127.0.0.1:8443");
        }
        return new IPEndPoint(IPAddress.Loopback, 0);
    }

    private bool Flag(string name)
    {
        string value = _values.GetValueOrDefault(name, "false");
        if (!bool.TryParse(value, out bool flag))
        {
            _problems.Add($"--{name} is true or false");
        }
        return flag;
    }

    private long Number(string name, long otherwise, long min, long max)
    {
        if (!_values.TryGetValue(name, out string? text))
        {
            return otherwise;
        }
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number >= min && number <= max)
        {
            return number;
        }
        _problems.Add($"--{name} is a number from {min} to {max}");
        return otherwise;
    }

    private string HealthPath()
    {
        string path = _values.GetValueOrDefault("health-path", "/healthz");
        if (!path.StartsWith('/') || !Uri.IsWellFormedUriString(path, UriKind.Relative))
        {
            _problems.Add("--health-path is a path that begins with /");
        }
        return path;
    }

    private string? Token(string file)
    {
        string? token = File.Exists(file) ? File.ReadAllText(file).Trim() : null;
        if (token is { Length: < 16 or > 128 })
        {
            _problems.Add("--preview-token-file: a token has 16 to 128 characters");
        }
        return token;
    }

    private string[] List(string name) => _values.GetValueOrDefault(name, "").Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private Dictionary<string, RouteMatch> Matches()
    {
        Dictionary<string, RouteMatch> matches = new(StringComparer.Ordinal);
        foreach (string text in List("match"))
        {
            if (RouteMatch.Parse(text) is not { } match || !matches.TryAdd(match.Key, match.Value))
            {
                _problems.Add($"--match: '{text}' is not NAME=[HOST][/PATH], or its name is given twice");
            }
        }
        return matches;
    }

    private Dictionary<string, Variant> Baselines()
    {
        Dictionary<string, Variant> baselines = new(StringComparer.Ordinal);
        var validator = new RouteValidator(Flag("allow-plaintext-backends"));
        foreach (string text in List("baseline"))
        {
            string[] parts = text.Split('=', 3);
            if (parts.Length != 3 || !RouteValidator.IsName(parts[0]))
            {
                _problems.Add($"--baseline: '{text}' is not NAME=RELEASE=URL[,URL]");
                continue;
            }
            var variant = new Variant(parts[1], parts[2].Split(','));
            _problems.AddRange(validator.Violations(new RouteSpec { Fence = default, Baseline = variant }).Select(violation => $"--baseline {parts[0]}: {violation}"));
            if (!baselines.TryAdd(parts[0], variant))
            {
                _problems.Add($"--baseline: {parts[0]} is given twice");
            }
        }
        return baselines;
    }
}
