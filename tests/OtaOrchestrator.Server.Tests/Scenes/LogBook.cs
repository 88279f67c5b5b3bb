using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace OtaOrchestrator.Server.Tests.Scenes;

/// <summary>Keeps what is logged. An Error that nobody expected is a failure.</summary>
public sealed class LogBook : ILoggerProvider
{
    private readonly ConcurrentQueue<(LogLevel Level, string Text)> _lines = new();

    public IEnumerable<string> Of(LogLevel level) => _lines.Where(line => line.Level == level).Select(line => line.Text);

    public void HasNoErrors() => Assert.DoesNotContain(_lines, line => line.Level >= LogLevel.Error);

    public ILogger CreateLogger(string categoryName) => new Book(_lines);

    public override string ToString() => string.Join('\n', _lines.TakeLast(60).Select(line => $"{line.Level}: {line.Text}"));

    public void Dispose()
    {
    }

    private sealed class Book(ConcurrentQueue<(LogLevel Level, string Text)> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue((logLevel, formatter(state, exception) + (exception is null ? "" : $" ({exception})")));
    }
}
