using System.Collections.Immutable;

namespace OtaOrchestrator.Cli;

/// <summary>Ends the command: printed as <c>error:</c> and <c>hint:</c>, and as one document with <c>--json</c>.</summary>
internal sealed class CliFailure(int exitCode, string message, string? hint = null) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
    public string? Hint { get; } = hint;

    /// <summary>The server's reason, for example <c>TARGET_TAKEN</c>.</summary>
    public string? Reason { get; init; }
    public ImmutableArray<Violation> Violations { get; init; } = [];
}

/// <summary>One thing that is wrong with what was sent. <paramref name="Line"/> is 0 when it is not from a file.</summary>
internal sealed record Violation(string Path, string Text, string? Hint = null, int Line = 0);
