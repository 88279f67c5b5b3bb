using System.Globalization;
using System.Text.Json;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Cli.Programs;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Demo;

/// <summary>Names and versions of the demo's story.</summary>
internal static class Cast
{
    public const string Environment = "environments/demo";
    public const string Api = "thermostat-api";
    public const string Firmware = "thermostat-fw";
    public const string Fleet = "thermostats";
    public const string Hardware = "thermo-a1";

    public const string ApiOld = "5.0.3";
    public const string ApiNew = "5.1.0";
    public const string ApiNext = "5.2.0";
    public const string FirmwareOld = "2.3.1";
    public const string FirmwareNew = "2.4.0";

    /// <summary>Fails one request in twenty.</summary>
    public const string ApiErring = "5.1.1";

    /// <summary>Takes its time.</summary>
    public const string ApiSlow = "5.1.2";

    /// <summary>Passes its self-test, confirms, and only then reports bad health.</summary>
    public const string FirmwareBad = "2.5.0";
    public const string FirmwareTampered = "2.6.0";

    /// <summary>For those who keep the demo: crash-loops.</summary>
    public const string FirmwareCrashing = "2.4.1";
}

/// <summary>Everything that runs during the demo: programs, their files, and the way to the server.</summary>
internal sealed class Stage : IAsyncDisposable
{
    private const string ServerName = "server";
    private static readonly TimeSpan StartMax = TimeSpan.FromSeconds(40);

    private readonly List<ChildProgram> _children = [];
    private readonly Guard _guard = Guard.Start();
    private bool _kept;

    public Stage(CliHost host, Report report, HomeDirectory home, int devices)
    {
        Host = host;
        Report = report;
        Home = home;
        Devices = devices;
        Programs = ProgramFiles.OfProcess(host);
        Samples = new Samples(Programs);
        Folder = Directory.CreateDirectory(Path.Combine(home.Path, "demo")).FullName;
        Api = new Api(new ServerAddress(home, null, null), host.Time, report);
    }

    public CliHost Host { get; }
    public Report Report { get; }
    public HomeDirectory Home { get; }
    public int Devices { get; }
    public ProgramFiles Programs { get; }
    public Samples Samples { get; }

    /// <summary>Logs, reports and state of the programs.</summary>
    public string Folder { get; }
    public Api Api { get; }
    public ChildProgram? Server { get; set; }

    /// <summary>Of the server's environment, at each start.</summary>
    public IReadOnlyDictionary<string, string> ServerVariables { get; set; } = new Dictionary<string, string>();
    public ChildProgram? Load { get; set; }

    /// <summary>The running program of that name.</summary>
    public ChildProgram Child(string name) => _children.Last(child => child.Name == name);

    public IReadOnlyList<ChildProgram> Children => _children;
    public string LoadFile => Path.Combine(Folder, "load.json");

    public string InFolder(string file) => Path.Combine(Folder, file);

    public string Pki(string file) => Path.Combine(Home.Pki, file);

    public ChildProgram Start(string name, string program, params string[] arguments) => StartFile(name, Programs.Find(program), arguments);

    /// <param name="file">An executable that is none of this product's programs, too.</param>
    public ChildProgram StartFile(string name, string file, IEnumerable<string> arguments)
    {
        var child = ChildProgram.Start(name, file, arguments, InFolder(name + ".log"), Host.Time, name == ServerName ? ServerVariables : null);
        _children.Add(child);
        _guard.Watch(child.Id);
        return child;
    }

    /// <summary>Starts the server and waits until it serves; with <paramref name="before"/> on the same ports as then.</summary>
    public async Task<ServerEndpoint> StartServer(ServerEndpoint? before, CancellationToken cancellation)
    {
        static string Authority(string? url) => url is null ? "127.0.0.1:0" : new Uri(url).Authority;
        var server = Start(ServerName, ProgramFiles.Server,
            "--home", Home.Path, "--listen", Authority(before?.Grpc), "--mqtt", before?.Mqtt ?? "127.0.0.1:0", "--firmware", Authority(before?.Firmware), "--control-plane", Authority(before?.ControlPlane));
        Server = server;
        Api.Forget();
        ServerEndpoint? endpoint = null;
        await server.WaitUntil("ready", async token =>
        {
            endpoint = ServerEndpoint.Read(Home);
            return endpoint?.Pid == server.Id && await Api.IsServing(token);
        }, StartMax, cancellation);
        return endpoint!;
    }

    /// <summary>Starts a program that says in a file where it listens, and waits for that file.</summary>
    public Task<JsonElement> StartReady(string name, string program, CancellationToken cancellation, params string[] arguments) => StartFileReady(name, Programs.Find(program), arguments, cancellation);

    /// <inheritdoc cref="StartReady"/>
    public async Task<JsonElement> StartFileReady(string name, string program, IEnumerable<string> arguments, CancellationToken cancellation)
    {
        var file = InFolder(name + ".ready.json");
        File.Delete(file);
        var child = StartFile(name, program, [.. arguments, "--ready-file", file]);
        await child.WaitUntil("ready", _ => Task.FromResult(File.Exists(file)), StartMax, cancellation);
        using var document = JsonDocument.Parse(await File.ReadAllBytesAsync(file, cancellation));
        return document.RootElement.Clone();
    }

    /// <summary>Ends a program and is no longer interested in it.</summary>
    public async Task Kill(ChildProgram child, CancellationToken cancellation)
    {
        _guard.Forget(child.Id);
        _children.Remove(child);
        await child.Kill(cancellation);
        await child.DisposeAsync();
    }

    /// <summary>Waits for a program that was told to end, by whoever told it. <returns>Its exit code.</returns></summary>
    public async Task<int> Ended(ChildProgram child, TimeSpan timeMax, CancellationToken cancellation)
    {
        var code = await child.Ended(timeMax, cancellation);
        _guard.Forget(child.Id);
        _children.Remove(child);
        await child.DisposeAsync();
        return code;
    }

    /// <summary>Devices for which the terms hold, as they say themselves.</summary>
    public async Task<long> Count(string terms, CancellationToken cancellation)
    {
        var request = new CountDevicesRequest { Parent = Cast.Environment, Filter = $"fleet=\"{Cast.Fleet}\"{(terms.Length > 0 ? " AND " + terms : "")}" };
        return (await Api.Call((api, options) => api.Devices.CountDevicesAsync(request, options), cancellation)).Total;
    }

    public async Task<IReadOnlyList<Device>> List(string terms, CancellationToken cancellation)
    {
        var all = new List<Device>();
        var token = "";
        do
        {
            var request = new ListDevicesRequest { Parent = Cast.Environment, PageSize = 500, PageToken = token, Filter = $"fleet=\"{Cast.Fleet}\"{(terms.Length > 0 ? " AND " + terms : "")}" };
            var page = await Api.Call((api, options) => api.Devices.ListDevicesAsync(request, options), cancellation);
            all.AddRange(page.Devices);
            token = page.NextPageToken;
        }
        while (token.Length > 0);
        return all;
    }

    /// <summary>Reads until <paramref name="holds"/> or the time is over; the last value either way.</summary>
    public async Task<T> Read<T>(Func<Task<T>> read, Func<T, bool> holds, TimeSpan timeMax, CancellationToken cancellation)
    {
        var start = Host.Time.GetTimestamp();
        while (true)
        {
            var value = await read();
            if (holds(value) || Host.Time.GetElapsedTime(start) > timeMax)
            {
                return value;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(200), Host.Time, cancellation);
        }
    }

    /// <summary>All programs go on after this one has ended.</summary>
    public void Keep()
    {
        _kept = true;
        _guard.LetBe();
    }

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        if (!_kept)
        {
            // Devices and load first, so that nobody complains of a server that is gone.
            foreach (var child in Enumerable.Reverse(_children))
            {
                Signal.SendTerminate(child.Id);
            }
            foreach (var child in Enumerable.Reverse(_children))
            {
                await child.DisposeAsync();
            }
        }
        _guard.Dispose();
    }

    public static string Number(long n) => n.ToString(CultureInfo.InvariantCulture);
}
