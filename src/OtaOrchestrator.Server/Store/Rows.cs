using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Rollouts;

namespace OtaOrchestrator.Server.Store;

/// <summary>An effect as it is stored: with the order to the target fixed when it was decided.</summary>
public sealed record EffectRow(string Environment, string Rollout, long Revision, int Ordinal, string Lane, string Target, EffectKind Kind, TimeSpan Delay, DateTimeOffset DueAt, string OrderJson)
{
    public string Key => $"{Environment}/{Rollout}/{Revision}/{Ordinal}";
}

public sealed record EnvironmentRow(string Id, string Spec, long Revision, DateTimeOffset CreatedAt);

/// <param name="Took">From the decision to return to the read-back of it.</param>
public sealed record RehearsalRow(string Environment, string Target, string Rollout, DateTimeOffset At, TimeSpan Took);

public sealed record TargetRow(string Environment, string Id, TargetKind Kind, string Spec, string CurrentRelease, string ActiveRollout, long Epoch, DateTimeOffset CreatedAt);

/// <param name="Kind"><c>backend</c> or <c>firmware</c>.</param>
public sealed record ReleaseRow(string Name, string Version, string Digest, string Kind, string Spec, string Publisher, DateTimeOffset PublishedAt)
{
    public string Id => $"{Name}@{Version}";
}

public sealed record HoldRow(string Environment, string Release, string Rollout, string Reason, DateTimeOffset Since);

public sealed record JournalRow(long Revision, DateTimeOffset At, string Actor, string Trigger, string Lane, string From, string To, string Text, byte[] Canonical, byte[] Sha256);

/// <summary>Live counts of a lane, kept beside the journal because they change too often to be worth an entry.</summary>
public sealed record ProgressRow(string Lane, string Spec, DateTimeOffset At);

/// <summary>A mutation that was answered: repeating it gives the same answer.</summary>
public sealed record Answered(byte[] BodySha256, byte[] Response);

/// <summary>A rollout's row as it stands, unread.</summary>
/// <param name="Spec">The rollout now.</param>
/// <param name="Created">The rollout before its first decision.</param>
public sealed record StoredRollout(string Environment, string Id, long Revision, string State, bool Ended, string Spec, string Created);
