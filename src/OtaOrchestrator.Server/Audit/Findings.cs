namespace OtaOrchestrator.Server.Audit;

/// <summary>One thing that is not as another place says it is.</summary>
/// <param name="Kind">For example <c>JOURNAL_ROW_MISMATCH</c>; the list stands in <see cref="FindingKind"/>.</param>
public sealed record AuditFinding(string Kind, string Subject, string Expected, string Found, string Hint = "");

/// <summary>Everything that a check can find.</summary>
public static class FindingKind
{
    public const string JournalGap = "JOURNAL_GAP";
    public const string JournalHash = "JOURNAL_HASH";
    public const string JournalReplay = "JOURNAL_REPLAY";
    public const string JournalRowMismatch = "JOURNAL_ROW_MISMATCH";
    public const string RowColumns = "ROW_COLUMNS";
    public const string EffectMissing = "EFFECT_MISSING";
    public const string EffectUnexpected = "EFFECT_UNEXPECTED";
    public const string TargetTakenWrongly = "TARGET_ROLLOUT_MISMATCH";
    public const string TargetRelease = "TARGET_RELEASE_MISMATCH";
    public const string SequenceBehind = "SEQUENCE_BEHIND";
    public const string TargetDrift = "TARGET_DRIFT";
    public const string TargetUnread = "TARGET_UNREAD";
    public const string ForgedJob = "FORGED_JOB";
    public const string DeviceUnknownFirmware = "DEVICE_UNKNOWN_FIRMWARE";
    public const string DeviceOnHeldRelease = "DEVICE_ON_HELD_RELEASE";
    public const string FirmwareMissing = "FIRMWARE_MISSING";
    public const string FirmwareDigest = "FIRMWARE_DIGEST_MISMATCH";
    public const string FirmwareSignature = "FIRMWARE_SIGNATURE";
    public const string FirmwareStray = "FIRMWARE_STRAY";
}

/// <summary>Collects findings up to a limit: a damaged store must not answer with more than a person or a message can hold.</summary>
public sealed class Findings
{
    public const int Max = 1000;
    private readonly List<AuditFinding> _all = [];

    public IReadOnlyList<AuditFinding> All => _all;

    public void Add(string kind, string subject, string expected, string found, string hint = "")
    {
        if (_all.Count < Max)
        {
            _all.Add(new AuditFinding(kind, subject, Short(expected), Short(found), hint));
        }
    }

    private static string Short(string text) => text.Length <= 400 ? text : text[..400] + "…";
}
