using OtaOrchestrator.Server.Errors;

namespace OtaOrchestrator.Server.Api;

/// <summary>Why somebody does something, in his own words: one line, for the journal and for people.</summary>
internal static class Reasons
{
    private const int LengthMax = 500;

    /// <summary>Null when none is given.</summary>
    public static string? Checked(string reason) => reason.Length switch
    {
        0 => null,
        > LengthMax => throw RefusedException.Invalid("reason", $"has at most {LengthMax} characters"),
        _ when reason.Any(char.IsControl) => throw RefusedException.Invalid("reason", "is one line without control characters"),
        _ => reason,
    };

    /// <param name="why">What the reason is to say.</param>
    public static string Required(string reason, string why) =>
        string.IsNullOrWhiteSpace(reason) ? throw RefusedException.Invalid("reason", $"says {why}") : Checked(reason)!;
}
