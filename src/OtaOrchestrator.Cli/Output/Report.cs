using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Google.Protobuf;
using Spectre.Console;

namespace OtaOrchestrator.Cli.Output;

/// <summary>
/// What a run prints. Without <c>--json</c>: lines on stdout, notes and errors on stderr. With it: exactly one document on stdout, all else on stderr.
/// </summary>
internal sealed class Report(CliHost host, bool json, bool color, bool quiet)
{
    private static readonly JsonFormatter Formatter = new(JsonFormatter.Settings.Default.WithIndentation("  ").WithFormatDefaultValues(true));

    public bool Json { get; } = json;

    private readonly List<string> _later = [];
    private bool _inPlace;

    /// <summary>A picture that changes in place, rather than lines one after the other.</summary>
    public bool Live { get; } = host.OutIsTerminal && !json && !quiet;

    public Glyphs Glyphs { get; } = host.Utf8 ? Glyphs.Unicode : Glyphs.Ascii;
    public int Width => host.Width;

    /// <summary>A line of the result; with <c>--json</c> it is progress.</summary>
    public void Line(string line = "")
    {
        if (!Json)
        {
            host.Out.WriteLine(color ? Paint.Line(line) : line);
        }
        else if (!quiet)
        {
            host.Error.WriteLine(line);
        }
    }

    public void Lines(IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            Line(line);
        }
    }

    /// <summary>Said beside the result.</summary>
    public void Note(string text)
    {
        if (quiet)
        {
            return;
        }
        lock (_later)
        {
            if (_inPlace)
            {
                // It would tear the picture.
                _later.Add(text);
                return;
            }
        }
        host.Error.WriteLine(text);
    }

    /// <summary>The result: the message itself with <c>--json</c>, else the lines.</summary>
    public void Answer(IMessage message, Func<IEnumerable<string>> lines)
    {
        if (Json)
        {
            host.Out.WriteLine(Formatter.Format(message));
        }
        else
        {
            Lines(lines());
        }
    }

    public void Answer<T>(T document, JsonTypeInfo<T> type, Func<IEnumerable<string>> lines)
    {
        if (Json)
        {
            host.Out.WriteLine(JsonSerializer.Serialize(document, type));
        }
        else
        {
            Lines(lines());
        }
    }

    public void Failed(CliFailure failure)
    {
        if (Json)
        {
            var document = new FailureDocument(new FailureBody(
                failure.Reason, failure.Message, failure.Hint, failure.ExitCode,
                [.. failure.Violations.Select(v => new FailureViolation(v.Path, v.Text, v.Hint, v.Line == 0 ? null : v.Line))]));
            host.Out.WriteLine(JsonSerializer.Serialize(document, FailureJson.Default.FailureDocument));
        }
        host.Error.WriteLine("error: " + Terminal.Clean(failure.Message));
        foreach (var violation in failure.Violations)
        {
            var line = violation.Line > 0 ? string.Create(CultureInfo.InvariantCulture, $" (line {violation.Line})") : "";
            host.Error.WriteLine(Terminal.Clean($"  {violation.Path}: {violation.Text}{line}"));
            if (violation.Hint is { Length: > 0 } hint)
            {
                host.Error.WriteLine(Terminal.Clean($"    hint: {hint}"));
            }
        }
        if (failure.Hint is not null)
        {
            host.Error.WriteLine("hint: " + Terminal.Clean(failure.Hint));
        }
    }

    /// <summary>The command line is wrong.</summary>
    public void Misunderstood(IReadOnlyList<string> errors, string hint)
    {
        if (Json)
        {
            host.Out.WriteLine(JsonSerializer.Serialize(
                new FailureDocument(new FailureBody("USAGE", string.Join("; ", errors), hint, ExitCode.Usage, [])), FailureJson.Default.FailureDocument));
        }
        foreach (var error in errors)
        {
            host.Error.WriteLine($"error: {error}");
        }
        host.Error.WriteLine($"hint: {hint}");
    }

    public void Interrupted()
    {
        if (Json)
        {
            host.Out.WriteLine(JsonSerializer.Serialize(
                new FailureDocument(new FailureBody("INTERRUPTED", "interrupted; what was accepted goes on", null, ExitCode.Interrupted, [])), FailureJson.Default.FailureDocument));
        }
        host.Error.WriteLine("interrupted; what was accepted goes on");
    }

    /// <summary>Gives <paramref name="body"/> a way to replace the picture; only when <see cref="Live"/>.</summary>
    public async Task InPlace(Func<Action<IReadOnlyList<string>>, Task> body)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            ColorSystem = color ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(host.Out),
        });
        console.Profile.Width = host.Width;
        lock (_later)
        {
            _inPlace = true;
        }
        try
        {
            await console.Live(new Text("")).StartAsync(async live => await body(lines =>
            {
                live.UpdateTarget(new Markup(string.Join('\n', lines.Select(line => color ? Paint.Markup(line) : Markup.Escape(line)))));
                live.Refresh();
            }));
        }
        finally
        {
            lock (_later)
            {
                _inPlace = false;
                _later.ForEach(host.Error.WriteLine);
                _later.Clear();
            }
        }
    }
}

internal sealed record FailureDocument(FailureBody Error);

internal sealed record FailureBody(string? Reason, string Message, string? Hint, int ExitCode, IReadOnlyList<FailureViolation> Violations);

internal sealed record FailureViolation(string Path, string Text, string? Hint, int? Line);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(FailureDocument))]
internal sealed partial class FailureJson : JsonSerializerContext;
