using System.Collections.Immutable;
using System.Text;
using OtaOrchestrator.Core.Plans;

namespace OtaOrchestrator.Cli.Commands;

/// <summary>Where a plan comes from: a file, standard input (<c>-</c>), or the short form on the command line.</summary>
internal static class PlanSource
{
    public static async Task<PlanReading> Read(CliHost host, IReadOnlyList<string> what, CancellationToken cancellation)
    {
        if (what.Count == 0)
        {
            throw new CliFailure(ExitCode.Usage, "which plan?", "a file, - for standard input, or target=release@version");
        }
        if (what.All(w => w.Contains('=', StringComparison.Ordinal) && !File.Exists(w)))
        {
            return PlanText.FromShorthand(what);
        }
        if (what.Count > 1)
        {
            throw new CliFailure(ExitCode.Usage, "either one plan file or target=release@version for each lane");
        }
        return PlanText.Parse(what[0] == "-" ? await Limited(host.In, "standard input", cancellation) : await FromFile(what[0], cancellation));
    }

    /// <summary>The plan; every violation at once as a <see cref="CliFailure"/> otherwise.</summary>
    public static Plan Valid(PlanReading reading) =>
        reading.Violations.IsEmpty && reading.Plan is { } plan ? plan : throw Refuse(reading.Violations);

    public static CliFailure Refuse(ImmutableArray<PlanViolation> violations) =>
        new(ExitCode.Invalid, violations.Length == 1 ? "the plan is invalid" : $"the plan is invalid in {violations.Length} places")
        {
            Reason = "INVALID",
            Violations = [.. violations.Select(v => new Violation(v.Path, v.Text, v.Hint, v.Line))],
        };

    private static async Task<string> FromFile(string path, CancellationToken cancellation)
    {
        if (!File.Exists(path))
        {
            throw new CliFailure(ExitCode.Failure, $"there is no plan file {path}", "ota plan init writes one; a lane alone is target=release@version");
        }
        using var reader = new StreamReader(path, new UTF8Encoding(false, throwOnInvalidBytes: true));
        try
        {
            return await Limited(reader, path, cancellation);
        }
        catch (DecoderFallbackException)
        {
            throw new CliFailure(ExitCode.Invalid, $"{path} is not UTF-8 text");
        }
    }

    // Whatever is behind the name, a device or a pipe, no more is read than a plan may have.
    private static async Task<string> Limited(TextReader reader, string name, CancellationToken cancellation)
    {
        var buffer = new char[PlanText.LengthMax + 1];
        var length = await reader.ReadBlockAsync(buffer, cancellation);
        return length <= PlanText.LengthMax
            ? new string(buffer, 0, length)
            : throw new CliFailure(ExitCode.Invalid, $"{name} is larger than a plan may be ({PlanText.LengthMax / 1024} KiB)");
    }
}
