using OtaOrchestrator.DevicePlane.Jobs;
using OtaOrchestrator.DevicePlane.Storage;

namespace OtaOrchestrator.DevicePlane.Registry;

/// <summary>Changes of things, groups and memberships. Each runs inside the writer.</summary>
internal static class RegistryOperations
{
    private const int MaxAttributes = 50;
    private const int MaxGroupDepth = 7;
    private const int MaxGroupsPerThing = 10;
    private const int MaxChildGroups = 100;

    public static Thing CreateThing(PlaneState state, PlaneTransaction tx, string name, IReadOnlyDictionary<string, string> attributes, string? fleet = null, string? certificateId = null)
    {
        Names.Thing(name);
        CheckAttributes(attributes);
        if (state.Things.ContainsKey(name))
        {
            throw new RefusedException(Refusal.AlreadyExists, $"thing '{name}' exists already");
        }

        var thing = new Thing(new ThingRecord(name, Guid.NewGuid().ToString(), 1, attributes, [], fleet, certificateId, 0), state.Slots.Count);
        state.Slots.Add(thing);
        tx.Undo(() => state.Slots.RemoveAt(state.Slots.Count - 1));
        tx.Set(state.Things, name, thing);
        PlaneRows.Write(tx, thing.Record);
        state.Reindex(tx, thing);
        return thing;
    }

    public static void Update(PlaneState state, PlaneTransaction tx, Thing thing, ThingRecord record)
    {
        CheckAttributes(record.Attributes);
        var before = thing.Record;
        thing.Record = record;
        tx.Undo(() => thing.Record = before);
        PlaneRows.Write(tx, record);
        state.Reindex(tx, thing);
    }

    /// <summary>Takes the thing out of its groups and jobs and forgets its shadows. Its ended executions stay with their jobs.</summary>
    public static void DeleteThing(PlaneState state, PlaneTransaction tx, string name)
    {
        if (!state.Things.TryGetValue(name, out var thing))
        {
            return;
        }

        foreach (var execution in JobExecution.Pending(thing.Executions))
        {
            JobBook.End(state, tx, execution, ExecutionStatus.REMOVED);
        }

        foreach (var group in thing.Record.Groups)
        {
            var members = state.Groups[group].Members;
            members.Remove(thing);
            tx.Undo(() => members.Add(thing));
        }

        foreach (var shadow in thing.Shadows)
        {
            tx.Delete(PlaneTable.Shadow, PlaneRows.ShadowKey(name, shadow.Name));
        }

        if (thing.Record.CertificateId is { } certificate)
        {
            SetCertificate(state, tx, certificate, CertificateStatus.REVOKED);
        }

        thing.Deleted = true;
        state.Slots[thing.Slot] = null;
        tx.Undo(() =>
        {
            thing.Deleted = false;
            state.Slots[thing.Slot] = thing;
        });
        tx.Remove(state.Things, name);
        tx.Delete(PlaneTable.Thing, name);
        state.Reindex(tx, thing);
    }

    public static ThingGroup CreateGroup(
        PlaneState state, PlaneTransaction tx, string name, string? parentName, string? description = null, IReadOnlyDictionary<string, string>? attributes = null)
    {
        Names.Group(name);
        CheckAttributes(attributes ?? JobExecution.NoDetails);
        var parent = parentName is null ? null : state.Group(parentName);
        if (state.Groups.TryGetValue(name, out var existing))
        {
            // As AWS: the same request again is no error, another one is.
            return existing.Record.Parent == parentName ? existing : throw new RefusedException(Refusal.AlreadyExists, $"thing group '{name}' exists already with another parent");
        }

        if (Ancestors(state, parent).Count() >= MaxGroupDepth)
        {
            throw new RefusedException(Refusal.InvalidRequest, $"thing groups nest {MaxGroupDepth} deep at most");
        }

        if (parent?.Children.Count >= MaxChildGroups)
        {
            throw new RefusedException(Refusal.InvalidRequest, $"a thing group has {MaxChildGroups} child groups at most");
        }

        var group = new ThingGroup(new GroupRecord(name, Guid.NewGuid().ToString(), parentName, description, attributes ?? JobExecution.NoDetails, 1, tx.Clock.WallMs));
        tx.Set(state.Groups, name, group);
        if (parent is not null)
        {
            parent.Children.Add(group);
            tx.Undo(() => parent.Children.Remove(group));
        }

        PlaneRows.Write(tx, group.Record);
        return group;
    }

    public static void DeleteGroup(PlaneState state, PlaneTransaction tx, string name)
    {
        if (!state.Groups.TryGetValue(name, out var group))
        {
            return;
        }

        if (group.Children.Count > 0)
        {
            throw RefusedException.Invalid($"thing group '{name}' has child groups");
        }

        foreach (var member in group.Members.ToList())
        {
            RemoveFromGroup(state, tx, group, member);
        }

        if (group.Record.Parent is { } parentName && state.Groups[parentName] is { } parent)
        {
            parent.Children.Remove(group);
            tx.Undo(() => parent.Children.Add(group));
        }

        tx.Remove(state.Groups, name);
        tx.Delete(PlaneTable.ThingGroup, name);
    }

    /// <summary>Makes the thing a member; continuous jobs of the group reach it at once.</summary>
    public static void AddToGroup(PlaneState state, PlaneTransaction tx, ThingGroup group, Thing thing)
    {
        if (group.Members.Contains(thing))
        {
            return;
        }

        if (thing.Record.Groups.Length >= MaxGroupsPerThing)
        {
            throw new RefusedException(Refusal.LimitExceeded, $"a thing may be in {MaxGroupsPerThing} groups at most");
        }

        // As AWS: a thing is in one group of a hierarchy only.
        var root = Ancestors(state, group).Last();
        if (thing.Record.Groups.FirstOrDefault(other => Ancestors(state, state.Groups[other]).Last() == root) is { } same)
        {
            throw RefusedException.Invalid($"'{thing.Name}' is in '{same}', which is in the same hierarchy as '{group.Name}'");
        }

        group.Members.Add(thing);
        tx.Undo(() => group.Members.Remove(thing));
        Update(state, tx, thing, thing.Record with { Groups = [.. thing.Record.Groups, group.Name] });
        foreach (var job in ContinuousJobsOf(state, group))
        {
            JobBook.Queue(state, tx, job, thing);
        }
    }

    /// <summary>Ends the membership; continuous jobs that no longer reach the thing are removed from it.</summary>
    public static void RemoveFromGroup(PlaneState state, PlaneTransaction tx, ThingGroup group, Thing thing)
    {
        if (!group.Members.Remove(thing))
        {
            return;
        }

        tx.Undo(() => group.Members.Add(thing));
        Update(state, tx, thing, thing.Record with { Groups = [.. thing.Record.Groups.Where(g => g != group.Name)] });
        foreach (var job in ContinuousJobsOf(state, group))
        {
            if (job.Executions.TryGetValue(thing.Name, out var execution) && !execution.IsTerminal && !JobTargets.Reaches(state, job.Record.Targets, thing))
            {
                JobBook.End(state, tx, execution, ExecutionStatus.REMOVED);
            }
        }
    }

    /// <summary>The group of a fleet, and its hundred cohorts under a group of their own, for a thing is in one group of a hierarchy only. What is there already stays.</summary>
    public static void EnsureFleet(PlaneState state, PlaneTransaction tx, string fleet)
    {
        Names.Fleet(fleet);
        foreach (var (name, parent) in PlaneState.GroupsOf(fleet))
        {
            if (!state.Groups.ContainsKey(name))
            {
                CreateGroup(state, tx, name, parent);
            }
        }
    }

    public static void SetCertificate(PlaneState state, PlaneTransaction tx, string id, CertificateStatus status)
    {
        var certificate = state.Certificates.TryGetValue(id, out var found) ? found : throw RefusedException.NotFound($"certificate '{id}' doesn't exist");
        if (certificate.Status == status)
        {
            return;
        }

        if (certificate.Status == CertificateStatus.REVOKED)
        {
            throw RefusedException.Invalid("a revoked certificate stays revoked");
        }

        if (certificate.Token is { } token)
        {
            tx.Remove(state.Unprovisioned, token);
        }

        PutCertificate(state, tx, certificate with { Status = status, Token = null });
    }

    public static void PutCertificate(PlaneState state, PlaneTransaction tx, CertificateRecord certificate)
    {
        tx.Set(state.Certificates, certificate.Id, certificate);
        if (certificate.Token is { } token)
        {
            tx.Set(state.Unprovisioned, token, certificate);
        }

        PlaneRows.Write(tx, certificate);
        tx.AfterCommit(() => state.Active.Set(certificate));
    }

    private static IEnumerable<Job> ContinuousJobsOf(PlaneState state, ThingGroup group)
    {
        var names = Ancestors(state, group).Select(g => JobTargets.GroupPrefix + g.Name).ToHashSet(StringComparer.Ordinal);
        return [.. state.Jobs.Values.Where(j => j.IsActive && j.Record.Selection == TargetSelection.CONTINUOUS && j.Record.Targets.Any(names.Contains))];
    }

    private static IEnumerable<ThingGroup> Ancestors(PlaneState state, ThingGroup? group)
    {
        for (; group is not null; group = group.Record.Parent is { } parent ? state.Groups[parent] : null)
        {
            yield return group;
        }
    }

    private static void CheckAttributes(IReadOnlyDictionary<string, string> attributes)
    {
        if (attributes.Count > MaxAttributes)
        {
            throw RefusedException.Invalid($"{MaxAttributes} attributes at most");
        }

        foreach (var (key, value) in attributes)
        {
            Names.Attribute(key, value);
        }
    }
}
