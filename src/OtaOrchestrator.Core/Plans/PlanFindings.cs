using System.Collections.Immutable;
using System.Globalization;

namespace OtaOrchestrator.Core.Plans;

/// <summary>What the rules found, in the order of the plan.</summary>
internal sealed class PlanFindings
{
    private readonly List<PlanViolation> _found = [];

    public void Add(string path, string text, string? hint = null) => _found.Add(new PlanViolation(path, text, hint));

    public void AddIf(bool wrong, string path, string text, string? hint = null)
    {
        if (wrong)
        {
            Add(path, text, hint);
        }
    }

    public ImmutableArray<PlanViolation> ToImmutable() => PlanViolation.Listed(_found);

    public static string Percent(double share) => (share * 100).ToString("0.####", CultureInfo.InvariantCulture) + " %";
}
