using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.IoT;

/// <summary>
/// Names of the jobs of one lane. They follow from the order alone, so that creating a job twice, even from two processes, makes one job:
/// the name is the idempotency key. At most 64 of <c>[a-zA-Z0-9_-]</c>.
/// </summary>
internal sealed class JobNames
{
    private const int RolloutCharsMax = 20;

    /// <summary>Where AWS puts eight characters of its own before the name.</summary>
    private const int OtaUpdateRolloutCharsMax = 12;

    public JobNames(TargetOrder order)
        : this(order, order.Rollout, order.Lane)
    {
    }

    /// <summary>Of a rollout that the order's took over.</summary>
    public JobNames(TargetOrder order, Predecessor before)
        : this(order, before.Rollout, before.Lane)
    {
    }

    private JobNames(TargetOrder order, string rollout, string lane)
    {
        var updates = order.Candidate.Image is not null;
        var fleet = "ota-" + Hash(order.Environment, order.Target)[..8] + "-";
        OfFleetWhateverAgent = [fleet, OtaUpdates.JobPrefix + fleet];
        OfFleet = OfFleetWhateverAgent[updates ? 1 : 0];
        var readable = new string([.. rollout.Where(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-').Take(updates ? OtaUpdateRolloutCharsMax : RolloutCharsMax)]);
        OfLane = $"{OfFleet}{readable}-{Hash(order.Environment, order.Target, rollout, lane)[..12]}-";
    }

    /// <summary>What all jobs of the fleet begin with, whatever the rollout.</summary>
    public string OfFleet { get; }

    /// <summary>The same for the time before and after the fleet's devices got another agent.</summary>
    public IReadOnlyList<string> OfFleetWhateverAgent { get; }

    /// <summary>What all jobs of the lane begin with.</summary>
    public string OfLane { get; }

    /// <summary>What the jobs begin with that offer the candidate.</summary>
    public string OfUpdates => OfLane + "u-";

    /// <summary>What the jobs begin with that return to the fallback.</summary>
    public string OfReturns => OfLane + "r-";

    public string Update(int step, int attempt) => string.Create(CultureInfo.InvariantCulture, $"{OfUpdates}{step}-{attempt}");

    /// <summary>The jobs of the order's attempt, one for each step that it has reached.</summary>
    public IEnumerable<string> Updates(TargetOrder order) => Enumerable.Range(0, order.Step + 1).Select(step => Update(step, order.Attempt));

    /// <param name="groups">Groups that return, counted from the first exposed one.</param>
    /// <param name="part">A job has a limited number of targets, so that a return may need more than one.</param>
    public string Return(int groups, int part) => string.Create(CultureInfo.InvariantCulture, $"{OfReturns}{groups}-{part}");

    /// <summary>What the jobs begin with that offer what was offered before the order's rollout took over.</summary>
    public static IReadOnlyList<string> PredecessorsUpdates(TargetOrder order) => [.. order.Predecessors.Select(before => new JobNames(order, before).OfUpdates)];

    /// <summary>What the jobs begin with that offer anything that a return takes back.</summary>
    public static IReadOnlyList<string> AllUpdates(TargetOrder order) => [new JobNames(order).OfUpdates, .. PredecessorsUpdates(order)];

    private static string Hash(params string[] parts) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts))));
}
