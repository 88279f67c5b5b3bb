using OtaOrchestrator.Cli.Tests.TestHost;

namespace OtaOrchestrator.Cli.Tests.TestHost;

/// <summary>What one run of <c>ota</c> said and how it ended.</summary>
internal sealed record Run(int ExitCode, string Out, string Error)
{
    /// <summary>In this process; the clock stands at <see cref="Scene.Now"/>, timers run.</summary>
    public static async Task<Run> Ota(TestServer server, params string[] arguments) => await Ota(server.Home, Clock.Instance, arguments);

    public static Task<Run> Ota(string home, TimeProvider time, params string[] arguments) => Ota(home, time, new StringWriter(), arguments);

    /// <param name="output">To look at while it runs.</param>
    public static async Task<Run> Ota(string home, TimeProvider time, StringWriter output, params string[] arguments)
    {
        output.NewLine = "\n";
        var error = new StringWriter { NewLine = "\n" };
        var host = new CliHost
        {
            Out = TextWriter.Synchronized(output),
            Error = TextWriter.Synchronized(error),
            In = TextReader.Null,
            Variable = name => name == "OTA_HOME" ? home : null,
            Time = time,
        };
        var code = await CommandTree.RunAsync(arguments, host);
        return new Run(code, output.ToString().Replace(home, "<home>", StringComparison.Ordinal), error.ToString().Replace(home, "<home>", StringComparison.Ordinal));
    }

    internal sealed class Clock : TimeProvider
    {
        public static readonly Clock Instance = new();

        public override DateTimeOffset GetUtcNow() => Scene.Now;

        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;
    }
}
