using System.Text;

namespace OtaOrchestrator.Cli;

/// <summary>The surroundings of one run: streams, terminal, variables, clock. Tests give their own.</summary>
internal sealed record CliHost
{
    public required TextWriter Out { get; init; }
    public required TextWriter Error { get; init; }
    public required TextReader In { get; init; }
    public bool OutIsTerminal { get; init; }
    public bool ErrorIsTerminal { get; init; }
    public bool InIsTerminal { get; init; }

    /// <summary>The terminal says that it shows UTF-8; otherwise plain ASCII.</summary>
    public bool Utf8 { get; init; }

    /// <summary>Columns.</summary>
    public int Width { get; init; } = 80;
    public required Func<string, string?> Variable { get; init; }
    public TimeProvider Time { get; init; } = TimeProvider.System;

    public static CliHost OfProcess()
    {
        var locale = FirstOf("LC_ALL", "LC_CTYPE", "LANG") ?? "";
        var utf8 = locale.Contains("UTF-8", StringComparison.OrdinalIgnoreCase) || locale.Contains("utf8", StringComparison.OrdinalIgnoreCase);
        if (!Console.IsOutputRedirected)
        {
            Console.OutputEncoding = utf8 ? new UTF8Encoding(false) : Encoding.ASCII;
        }
        return new CliHost
        {
            Out = Console.Out,
            Error = Console.Error,
            In = Console.In,
            OutIsTerminal = !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb"),
            ErrorIsTerminal = !Console.IsErrorRedirected,
            InIsTerminal = !Console.IsInputRedirected,
            Utf8 = utf8 && !Console.IsOutputRedirected,
            Width = Console.IsOutputRedirected ? 80 : WindowWidth(),
            Variable = Environment.GetEnvironmentVariable,
        };
    }

    private static string? FirstOf(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (Environment.GetEnvironmentVariable(name) is { Length: > 0 } value)
            {
                return value;
            }
        }
        return null;
    }

    private static int WindowWidth()
    {
        try
        {
            return Math.Clamp(Console.WindowWidth, 40, 200);
        }
        catch (IOException)
        {
            return 80;
        }
    }
}
