using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Server.Errors;

/// <summary>A request that is refused, with the reason that clients act on. Becomes a <c>google.rpc.Status</c> in <see cref="StatusMapping"/>.</summary>
public sealed class RefusedException : Exception
{
    public RefusedException(ErrorReason reason, string text, params (string Key, string Value)[] metadata) : base(text)
    {
        Reason = reason;
        Metadata = metadata;
    }

    public RefusedException() : this(ErrorReason.Unspecified, "") { }
    public RefusedException(string message) : this(ErrorReason.Unspecified, message) { }
    public RefusedException(string message, Exception inner) : base(message, inner) { }

    public ErrorReason Reason { get; }
    public IReadOnlyList<(string Key, string Value)> Metadata { get; } = [];
    public IReadOnlyList<PlanViolation> Violations { get; init; } = [];

    public static RefusedException Invalid(string field, string text) => new(ErrorReason.Invalid, $"{field} {text}") { Violations = [new PlanViolation(field, text)] };

    public static RefusedException Invalid(IReadOnlyList<PlanViolation> violations) =>
        new(ErrorReason.Invalid, violations.Count == 1 ? violations[0].ToString() : $"{violations.Count} things are wrong") { Violations = violations };

    public static RefusedException NotFound(string name) => new(ErrorReason.NotFound, $"{name} does not exist");
}
