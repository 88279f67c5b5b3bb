using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Server.Store;

namespace OtaOrchestrator.Server.Audit;

/// <param name="Told">The rollout as the journal tells it; null when it can't be told.</param>
/// <param name="Writes">For each lane the revision in which its last write was decided: the fence that its target holds.</param>
internal sealed record Retold(Rollout? Told, long Entries, Dictionary<string, long> Writes);

/// <summary>
/// Tells the rollout again from its creation through every entry of its journal, with the lifecycle alone, and compares the result with the row.
/// It shares no code with the way in which rows are written.
/// </summary>
internal static class JournalCheck
{
    public static Retold Of(StoredRollout row, IEnumerable<JournalRow> entries, Findings findings)
    {
        var subject = $"{row.Environment}/{row.Id}";
        Rollout told;
        try
        {
            told = StoredJson.RolloutOf(row.Created);
        }
        catch (Exception error) when (error is JsonException or InvalidDataException)
        {
            findings.Add(FindingKind.JournalReplay, subject, "a rollout as it was created", "bytes that are none");
            return new Retold(null, 0, []);
        }
        long count = 0;
        Dictionary<string, long> writes = new(StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            count++;
            if (Next(told, entry, subject, findings) is not { Next: { } next } decision)
            {
                return new Retold(null, count, []);
            }
            told = next;
            foreach (var effect in decision.Effects.Where(effect => !effect.ReadsOnly && effect.Kind != EffectKind.Hold))
            {
                writes[effect.Lane] = next.Revision;
            }
        }
        Compare(row, told, subject, findings);
        return new Retold(told, count, writes);
    }

    private static Decision? Next(Rollout told, JournalRow entry, string subject, Findings findings)
    {
        var at = $"{subject} revision {entry.Revision}";
        if (entry.Revision != told.Revision + 1)
        {
            findings.Add(FindingKind.JournalGap, at, $"revision {told.Revision + 1}", $"revision {entry.Revision}", "entries were removed");
            return null;
        }
        if (!SHA256.HashData(entry.Canonical).AsSpan().SequenceEqual(entry.Sha256))
        {
            findings.Add(FindingKind.JournalHash, at, Convert.ToHexStringLower(entry.Sha256), Convert.ToHexStringLower(SHA256.HashData(entry.Canonical)), "the entry was altered");
            return null;
        }
        JournalContent? content;
        try
        {
            content = JsonSerializer.Deserialize(entry.Canonical, StoredJson.Default.JournalContent);
        }
        catch (JsonException)
        {
            content = null;
        }
        if (content is null)
        {
            findings.Add(FindingKind.JournalHash, at, "canonical content", "bytes that are none", "the entry was altered");
            return null;
        }
        if (content.Environment != told.Environment || content.Rollout != told.Id || content.Revision != entry.Revision || content.AtMs != entry.At.ToUnixTimeMilliseconds()
            || content.Signal.Actor.Name != entry.Actor || content.Signal.Trigger.ToString() != entry.Trigger || (content.Signal.Lane ?? "") != entry.Lane)
        {
            findings.Add(FindingKind.JournalHash, at, $"{content.Signal.Trigger} by {content.Signal.Actor} as in the canonical bytes", $"{entry.Trigger} by {entry.Actor} in the columns", "the entry's columns were altered");
            return null;
        }
        var decision = Lifecycle.Decide(told, content.Signal, entry.At);
        if (decision.Next is not { } next)
        {
            findings.Add(FindingKind.JournalReplay, at, $"{content.Signal.Trigger} changes the rollout", decision.Refusal?.Text ?? "it changes nothing");
            return null;
        }
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(StoredJson.Of(next))));
        if (sha256 != content.NextSha256)
        {
            findings.Add(FindingKind.JournalReplay, at, $"a rollout that hashes to {content.NextSha256}", sha256, "deciding it again gives something else");
            return null;
        }
        return decision;
    }

    private static void Compare(StoredRollout row, Rollout told, string subject, Findings findings)
    {
        var expected = StoredJson.Of(told);
        if (expected != row.Spec)
        {
            findings.Add(FindingKind.JournalRowMismatch, subject, Difference(expected, row.Spec), Difference(row.Spec, expected), "the row was changed outside the journal");
        }
        var columns = $"revision {row.Revision}, {row.State}, {(row.Ended ? "ended" : "not ended")}";
        var should = $"revision {told.Revision}, {told.State}, {(told.Ended ? "ended" : "not ended")}";
        if (columns != should)
        {
            findings.Add(FindingKind.RowColumns, subject, should, columns, "the row was changed outside the journal");
        }
    }

    /// <summary>The part of a text where another one begins to differ.</summary>
    private static string Difference(string text, string other)
    {
        int same = text.AsSpan().CommonPrefixLength(other);
        int from = Math.Max(0, same - 40);
        return text.Substring(from, Math.Min(120, text.Length - from));
    }
}
