using System.Globalization;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Output;

/// <summary>One journal entry on one line.</summary>
internal static class JournalLine
{
    public static string Render(JournalEntry entry, TimeZoneInfo zone)
    {
        var move = entry.To.Length > 0 && entry.From != entry.To ? $" {Word(entry.From)} -> {Word(entry.To)}" : "";
        var text = entry.Text.Length > 0 ? "  " + entry.Text : "";
        return Terminal.Clean(string.Create(CultureInfo.InvariantCulture,
            $"{Say.Clock(entry.Time, zone)}  {entry.Revision,4}  {Terminal.Pad(entry.Lane, 10)} {entry.Trigger}{move}{text}  by {entry.Actor}"));
    }

    private static string Word(string state) => state.Replace("ROLLOUT_STATE_", "", StringComparison.Ordinal);
}
