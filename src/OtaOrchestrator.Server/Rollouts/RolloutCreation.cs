using System.Collections.Immutable;
using System.Security.Cryptography;
using Google.Protobuf;
using Microsoft.Extensions.Options;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Firmware.Signing;
using OtaOrchestrator.Firmware.Updates;
using OtaOrchestrator.Server.Api;
using OtaOrchestrator.Server.Environments;
using OtaOrchestrator.Server.Errors;
using OtaOrchestrator.Server.Reconciling;
using OtaOrchestrator.Server.Releases;
using OtaOrchestrator.Server.Store;
using OtaOrchestrator.Server.Targets;
using Wire = OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Server.Rollouts;

/// <summary>Makes a rollout of a plan: everything is checked, resolved and signed before anything is stored.</summary>
public sealed class RolloutCreation(Database database, ITargets targets, SigningKey signing, IOptions<ReconcilerOptions> options)
{
    /// <summary>A plan whose every reference is resolved; what depends on the moment of the commit is still open.</summary>
    /// <param name="Supersedes">The rollout that it takes over from.</param>
    public sealed record Draft(string Environment, string Id, Plan Plan, Actor StartedBy, ImmutableArray<DraftLane> Lanes, string? Supersedes, bool Rehearsal);

    public sealed record DraftLane(LanePlan Plan, TargetRow Target, Wire.Target Spec, ReleaseRow Candidate, ReleaseRow Fallback, ImmutableArray<string> UndoAfter, ImmutableArray<Predecessor>? Predecessors = null);

    /// <param name="supersede">Take over from the rollout that has the targets.</param>
    public Draft Check(string environment, string rolloutId, Wire.Plan wire, Actor startedBy, DateTimeOffset now, bool supersede = false, bool rehearsal = false)
    {
        // What the reader checks of a file it also checks of the wire: it is the same reader.
        var reading = PlanText.Parse(JsonFormatter.Default.Format(wire));
        if (reading.Plan is not { } read)
        {
            throw RefusedException.Invalid([.. reading.Violations.Select(violation => violation with { Line = 0 })]);
        }
        return database.Read(db =>
        {
            var policy = Policies.Of(Journal.Environment(db, environment) ?? throw RefusedException.NotFound(ResourceNames.Of(environment)));
            var rows = read.Lanes.Select(lane => lane.Target).Distinct().Where(name => Names.IsValid(name))
                .Select(name => Journal.Target(db, environment, name)).OfType<TargetRow>().ToDictionary(row => row.Id, StringComparer.Ordinal);
            TargetRow? Find(string name) => rows.TryGetValue(name, out var row) ? row : Names.IsValid(name) ? Journal.Target(db, environment, name) : null;

            if (rehearsal)
            {
                read = read with { Lanes = [.. read.Lanes.Select(lane => Find(lane.Target) is { } row ? Rehearsed(lane, row.Kind) : lane)] };
            }
            var (plan, _) = PlanDefaults.Fill(read, policy, name => Find(name)?.Kind ?? TargetKind.Traffic);
            var violations = PlanValidator.Validate(plan, new PlanContext
            {
                Policy = policy,
                Rehearsal = rehearsal,
                Target = name => Find(name) is { } row ? new PlanTarget(row.Kind, targets.Of(environment, row.Id).Capabilities, ReleaseName.Parse(row.CurrentRelease)?.Version) : null,
            }).ToList();
            if (rehearsal && plan.Lanes.Length != 1)
            {
                violations.Add(new PlanViolation("lanes", "are several: a rehearsal is of one target"));
            }
            var superseded = supersede ? Succession.Of(db, environment, plan, Find, violations) : null;
            plan = superseded?.Inherit(plan) ?? plan;
            var lanes = plan.Lanes.Select((lane, i) => Resolve(db, environment, lane, i, Find(lane.Target), violations)).ToList();
            if (violations.Count > 0)
            {
                throw RefusedException.Invalid(violations);
            }
            var order = UndoOrder.WaitsFor([.. lanes.Select(lane => new UndoOrder.UndoLane(lane!.Plan.Name, lane.Plan.Target, lane.Fallback.Version, lane.Plan.Needs))]);
            var id = rolloutId.Length > 0 ? ResourceNames.Checked(rolloutId, "rolloutId") : FreeId(db, environment, plan.Name, now);
            return new Draft(
                environment, id, plan, startedBy, [.. lanes.Select(lane => lane! with { UndoAfter = order[lane.Plan.Name], Predecessors = superseded?.Predecessors(lane.Plan.Target, CanBeTakenOver(environment, lane.Plan.Target)) })], superseded?.Rollout.Id, rehearsal);
        });
    }

    /// <summary>Runs in the transaction of the commit: takes the targets, numbers and signs the manifests.</summary>
    public Rollout Take(Statements db, Draft draft, DateTimeOffset now)
    {
        var lanes = ImmutableArray.CreateBuilder<Lane>();
        // Read again: it may have exposed more since the check.
        var superseded = draft.Supersedes is { } taken ? new Succession(StoredJson.RolloutOf(Journal.Rollout(db, draft.Environment, taken)!)) : null;
        if (superseded?.LeftOut(draft.Plan).ToList() is { Count: > 0 } left)
        {
            throw RefusedException.Invalid(left);
        }
        foreach (var lane in draft.Lanes.Select(lane => lane with { Predecessors = superseded?.Predecessors(lane.Target.Id, CanBeTakenOver(draft.Environment, lane.Target.Id)) }))
        {
            var target = Journal.Target(db, draft.Environment, lane.Target.Id)!;
            // Read again: somebody may have taken it out of our hands since the check.
            if (EnvironmentService.Parse(target).Fleet?.Aws is { Mode: Wire.AdoptionMode.Observe or Wire.AdoptionMode.Advise } watched)
            {
                throw Watched(target.Id, watched.Mode == Wire.AdoptionMode.Advise ? "advised" : "observed");
            }
            if (target.ActiveRollout.Length > 0 || !Journal.TakeTarget(db, draft.Environment, target.Id, draft.Id, target.Epoch + 1))
            {
                throw new RefusedException(Wire.ErrorReason.TargetTaken, $"{target.Id} is taken by rollout {target.ActiveRollout}",
                    ("target", target.Id), ("rollout", ResourceNames.OfRollout(draft.Environment, target.ActiveRollout)));
            }
            var (candidate, fallback) = lane.Spec.Fleet is { } fleet ? Signed(db, draft, lane, fleet) : (Backend(lane.Candidate), Backend(lane.Fallback));
            lanes.Add(new Lane
            {
                Name = lane.Plan.Name,
                Target = target.Id,
                Place = EnvironmentService.PlaceOf(lane.Spec),
                Kind = target.Kind,
                Candidate = candidate,
                Fallback = fallback,
                Predecessors = lane.Predecessors,
                // Who takes over returns to how it was before anybody began, and knows what was seen last.
                Before = lane.Predecessors is null ? null : superseded?.Before(target.Id)?.Before,
                Seen = lane.Predecessors is null ? null : superseded?.Before(target.Id)?.Seen,
                Epoch = target.Epoch + 1,
                Plan = lane.Plan,
                UndoAfter = lane.UndoAfter,
                CallTimeout = options.Value.CallTimeout,
            });
        }
        return new Rollout
        {
            Environment = draft.Environment,
            Id = draft.Id,
            Plan = draft.Plan,
            Lanes = lanes.ToImmutable(),
            StartedBy = draft.StartedBy,
            Supersedes = draft.Supersedes ?? "",
            Rehearsal = draft.Rehearsal,
            CreatedAt = now,
            UpdatedAt = now,
        };
    }

    private static RefusedException Watched(string target, string how) => new(Wire.ErrorReason.WrongState, $"{target} is {how} only; ota adopt {target} --mode drive lets rollouts change it");

    private bool CanBeTakenOver(string environment, string target) => targets.Of(environment, target).Capabilities.CanBeTakenOver;

    /// <summary>As far as nobody notices: beside the stable side of a traffic target, to the lab devices of a fleet.</summary>
    private static LanePlan Rehearsed(LanePlan lane, TargetKind kind) => lane.Steps.IsDefaultOrEmpty
        ? lane with { Steps = [kind == TargetKind.Fleet ? new StepPlan { Group = "lab", BakeMin = TimeSpan.FromSeconds(5) } : new StepPlan { Share = 0 }] }
        : lane;

    private static DraftLane? Resolve(Statements db, string environment, LanePlan lane, int index, TargetRow? target, List<PlanViolation> violations)
    {
        var path = $"lanes[{index}]";
        if (target is null || ReleaseName.Parse(lane.Release) is not { } candidateName)
        {
            return null;
        }
        var fallbackName = ReleaseName.Parse(lane.Fallback ?? target.CurrentRelease);
        var candidate = Journal.Release(db, candidateName.Name, candidateName.Version);
        var fallback = fallbackName is { } named ? Journal.Release(db, named.Name, named.Version) : null;
        if (candidate is null)
        {
            violations.Add(new PlanViolation($"{path}.release", $"{candidateName} is not published", "ota release list"));
        }
        if (fallback is null)
        {
            violations.Add(new PlanViolation($"{path}.fallback", $"{fallbackName?.ToString() ?? lane.Fallback} is not published"));
        }
        if (candidate is null || fallback is null)
        {
            return null;
        }
        if (candidate.Id == fallback.Id)
        {
            violations.Add(new PlanViolation($"{path}.release", $"{candidate.Id} is what {target.Id} runs and would fall back to"));
        }
        var fits = target.Kind == TargetKind.Fleet ? "firmware" : "backend";
        foreach (var (release, field) in ((ReleaseRow, string)[])[(candidate, "release"), (fallback, "fallback")])
        {
            if (release.Kind != fits)
            {
                violations.Add(new PlanViolation($"{path}.{field}", $"{release.Id} is {release.Kind}, {target.Id} takes {fits}"));
            }
        }
        if (Journal.Holds(db, candidate.Id).Find(hold => hold.Environment == environment) is { } held)
        {
            throw new RefusedException(Wire.ErrorReason.ReleaseHeld, $"{candidate.Id} is held since rollout {held.Rollout} was taken back: {held.Reason}", ("release", candidate.Id), ("rollout", ResourceNames.OfRollout(environment, held.Rollout)));
        }
        var spec = EnvironmentService.Parse(target);
        if (spec is { Fleet.Aws.Mode: Wire.AdoptionMode.Observe })
        {
            throw Watched(target.Id, "observed");
        }
        if (target.Kind == TargetKind.Fleet && candidate.Kind == "firmware" && fallback.Kind == "firmware")
        {
            var back = fallback;
            if (Twins.Needed(spec.Fleet))
            {
                back = Twins.Of(db, environment, fallback, [candidate.Version]);
                if (Twins.Refusal(db, environment, target, candidate, fallback) is { } refusal)
                {
                    violations.Add(new PlanViolation($"{path}.release", refusal, "publish it under a higher version"));
                }
            }

            Fits(path, spec.Fleet, ReleaseService.Parse(candidate).Firmware, ReleaseService.Parse(back).Firmware, candidate.Id, back.Id, violations);
        }
        return new DraftLane(lane with { Fallback = fallback.Id }, target, spec, candidate, fallback, []);
    }

    /// <summary>A way back that a device would refuse is none.</summary>
    private static void Fits(string path, Wire.FleetTarget fleet, Wire.FirmwareRelease candidate, Wire.FirmwareRelease fallback, string candidateId, string fallbackId, List<PlanViolation> violations)
    {
        if (fallback.SecurityCounter < candidate.SecurityCounter)
        {
            throw new RefusedException(Wire.ErrorReason.FallbackUnfit,
                $"devices that confirmed {candidateId} (security counter {candidate.SecurityCounter}) would refuse to return to {fallbackId} (counter {fallback.SecurityCounter})");
        }
        foreach (var id in fleet.HardwareIds.Where(id => !candidate.HardwareIds.Contains(id)))
        {
            violations.Add(new PlanViolation($"{path}.release", $"{candidateId} is not for {id}, which is in the fleet"));
        }
        if (candidate.HardwareIds.Except(fallback.HardwareIds).ToList() is { Count: > 0 } missing)
        {
            throw new RefusedException(Wire.ErrorReason.FallbackUnfit, $"{fallbackId} is not for {string.Join(", ", missing)}, which {candidateId} is for");
        }
        foreach (var (release, id, field) in ((Wire.FirmwareRelease, string, string)[])[(candidate, candidateId, "release"), (fallback, fallbackId, "fallback")])
        {
            if (release.Fleet.Length > 0 && release.Fleet != fleet.Fleet)
            {
                violations.Add(new PlanViolation($"{path}.{field}", $"{id} is for the fleet {release.Fleet}, not {fleet.Fleet}"));
            }
        }
    }

    private (TargetRelease Candidate, TargetRelease Fallback) Signed(Statements db, Draft draft, DraftLane lane, Wire.FleetTarget fleet)
    {
        if (Twins.Needed(fleet))
        {
            // Above what a rollout that is taken over has brought, too.
            string[] brought = [lane.Candidate.Version, .. (lane.Predecessors ?? []).Select(before => ResourceNames.Release($"releases/{before.Release}").Version)];
            return (Imaged(lane.Candidate, lane.Candidate), Imaged(lane.Fallback, Twins.Of(db, draft.Environment, lane.Fallback, brought)));
        }
        // In this order: the fallback's manifest is the newer one, so that a device which took the candidate takes it too.
        var candidate = Document(UpdateOperation.Update, draft, lane.Plan.Name, fleet, lane.Candidate, Journal.NextSequence(db, fleet.Fleet), []);
        var fallback = Document(UpdateOperation.Return, draft, lane.Plan.Name, fleet, lane.Fallback, Journal.NextSequence(db, fleet.Fleet), [lane.Candidate.Digest, .. (lane.Predecessors ?? []).Select(before => before.Digest)]);
        return (
            new TargetRelease(lane.Candidate.Name, lane.Candidate.Version, lane.Candidate.Digest) { Document = candidate },
            new TargetRelease(lane.Fallback.Name, lane.Fallback.Version, lane.Fallback.Digest) { Document = fallback });
    }

    /// <param name="offered">What devices are given to run it: itself, or its twin.</param>
    private static TargetRelease Imaged(ReleaseRow row, ReleaseRow offered) => new(row.Name, row.Version, row.Digest)
    {
        Image = new OtaImage(offered.Version, offered.Digest["sha256:".Length..], ReleaseService.Parse(offered).Firmware.Signature),
    };

    private string Document(UpdateOperation operation, Draft draft, string lane, Wire.FleetTarget fleet, ReleaseRow row, long sequence, IReadOnlyList<string> candidates)
    {
        var firmware = ReleaseService.Parse(row).Firmware;
        var sha256 = row.Digest["sha256:".Length..];
        var manifest = new Manifest(fleet.Fleet, row.Id, row.Version, [.. firmware.HardwareIds], firmware.SecurityCounter, sequence, sha256, firmware.Size).ToBytes();
        return new UpdateDocument(
            operation, draft.Id, lane, row.Id, candidates, manifest, signing.SignDigest(SHA256.HashData(manifest)), Convert.FromBase64String(firmware.Signature), FleetPlaces.Link(fleet, sha256), firmware.Size).ToJson();
    }

    private static TargetRelease Backend(ReleaseRow row)
    {
        var backend = ReleaseService.Parse(row).Backend;
        return new(row.Name, row.Version, row.Digest) { Addresses = [.. backend.Addresses], Artifacts = new SortedDictionary<string, string>(backend.Artifacts, StringComparer.Ordinal) };
    }

    private static string FreeId(Statements db, string environment, string name, DateTimeOffset now)
    {
        var stem = name.Length > 40 ? name[..40].TrimEnd('-') : name;
        for (int i = 0; ; i++)
        {
            var id = i == 0 ? stem : $"{stem}-{i + 1}";
            if (Journal.Rollout(db, environment, id) is null)
            {
                return id;
            }
            if (i > 200)
            {
                return $"{stem}-{now.ToUnixTimeMilliseconds()}";
            }
        }
    }
}
