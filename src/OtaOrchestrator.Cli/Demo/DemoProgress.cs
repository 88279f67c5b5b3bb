using OtaOrchestrator.Cli.Output;

namespace OtaOrchestrator.Cli.Demo;

/// <summary>The demo's story as it happens: a picture on a terminal, one line per event otherwise.</summary>
internal sealed class DemoProgress(Report report, TimeProvider time, Action<IReadOnlyList<string>>? show)
{
    private readonly Lock _lock = new();
    private readonly long _start = time.GetTimestamp();
    private readonly List<(string Title, string Sign, string Detail)> _steps = [];
    private IReadOnlyList<string> _picture = [];

    public TimeSpan Elapsed => time.GetElapsedTime(_start);

    public void Begin(string title)
    {
        lock (_lock)
        {
            _steps.Add((title, "[..]", ""));
            _picture = [];
        }
        Told($"     {title} ...");
    }

    /// <summary>Beside the running step, and replaced by the next one.</summary>
    public void Detail(string text)
    {
        lock (_lock)
        {
            _steps[^1] = _steps[^1] with { Detail = text };
        }
        Draw();
    }

    /// <summary>Something that happened inside the running step.</summary>
    public void Event(string text)
    {
        lock (_lock)
        {
            _steps[^1] = _steps[^1] with { Detail = text };
        }
        Told($"       {text}");
    }

    public void Done(string result)
    {
        lock (_lock)
        {
            _steps[^1] = (_steps[^1].Title, "[OK]", result);
            _picture = [];
        }
        Told($"[OK] {result}");
    }

    /// <summary>The rollout under the running step; on a terminal only.</summary>
    public void Picture(IReadOnlyList<string> lines)
    {
        lock (_lock)
        {
            _picture = lines;
        }
        Draw();
    }

    private void Told(string line)
    {
        if (show is null)
        {
            report.Line(Terminal.Clean($"{Say.Span(Elapsed),6}  {line}"));
        }
        else
        {
            Draw();
        }
    }

    private void Draw()
    {
        if (show is null)
        {
            return;
        }
        lock (_lock)
        {
            var steps = _steps.SelectMany(step => step.Detail.Length > 0 ? (IEnumerable<string>)[$"{step.Sign} {step.Title}", $"       {step.Detail}"] : [$"{step.Sign} {step.Title}"]);
            show([.. steps.Select(line => Terminal.Cut(Terminal.Clean(line), report.Width)), "", .. _picture]);
        }
    }
}
