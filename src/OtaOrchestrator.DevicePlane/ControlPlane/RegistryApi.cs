using System.Globalization;
using System.Text.Json;
using OtaOrchestrator.DevicePlane.Registry;
using OtaOrchestrator.DevicePlane.Storage;

namespace OtaOrchestrator.DevicePlane.ControlPlane;

/// <summary>The operations on things, static groups and certificates. Each runs inside the writer and returns what to write into the answer.</summary>
internal sealed class RegistryApi(PlaneState state, Arn arns)
{
    private const int PageLimit = 250;

    public void CreateThing(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        request.Refuse("thingTypeName", "billingGroupName");
        var name = Names.Thing(request.Path("thingName"));
        var attributes = Attributes(request.Body) ?? new Dictionary<string, string>();
        if (state.Things.TryGetValue(name, out var existing))
        {
            // As AWS: the same attributes again are a repetition.
            if (!SameAttributes(existing.Record.Attributes, attributes))
            {
                throw new RefusedException(Refusal.AlreadyExists, $"thing '{name}' exists already with other attributes");
            }

            WriteThingIds(w, existing);
            return;
        }

        WriteThingIds(w, RegistryOperations.CreateThing(state, tx, name, attributes));
    }

    public void DescribeThing(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var thing = state.Thing(Names.Thing(request.Path("thingName")));
        w.WriteString("defaultClientId", thing.Name);
        WriteThingIds(w, thing);
        WriteMap(w, "attributes", thing.Record.Attributes);
        w.WriteNumber("version", thing.Record.Version);
    }

    public void UpdateThing(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        request.Refuse("thingTypeName", "removeThingType");
        var thing = state.Thing(Names.Thing(request.Path("thingName")));
        CheckVersion(ControlPlaneRequest.Integer(request.Body, "expectedVersion", 0, long.MaxValue), thing.Record.Version);
        if (Attributes(request.Body) is not { } attributes)
        {
            return;
        }

        if (request.Object("attributePayload") is { } payload && payload.TryGetProperty("merge", out var merge) && merge.ValueKind == JsonValueKind.True)
        {
            var merged = new Dictionary<string, string>(thing.Record.Attributes, StringComparer.Ordinal);
            foreach (var (key, value) in attributes)
            {
                // An empty value removes the attribute.
                if (value.Length == 0)
                {
                    merged.Remove(key);
                }
                else
                {
                    merged[key] = value;
                }
            }

            attributes = merged;
        }

        RegistryOperations.Update(state, tx, thing, thing.Record with { Attributes = attributes, Version = thing.Record.Version + 1 });
    }

    public void DeleteThing(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var name = Names.Thing(request.Path("thingName"));
        if (state.Things.TryGetValue(name, out var thing))
        {
            CheckVersion(request.QueryInteger("expectedVersion"), thing.Record.Version);
            RegistryOperations.DeleteThing(state, tx, name);
        }
    }

    public void ListThings(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var (attribute, value) = (request.Query("attributeName"), request.Query("attributeValue"));
        if (request.Query("thingTypeName") is not null)
        {
            throw RefusedException.Invalid("thingTypeName isn't supported by this device plane");
        }

        Page(request, w, "things", state.Slots.Skip(From(request)).Where(t => t is not null && (attribute is null || (t.Record.Attributes.TryGetValue(attribute, out var v) && (value is null || v == value)))).Select(t => t!), t =>
        {
            w.WriteStartObject();
            w.WriteString("thingName", t.Name);
            w.WriteString("thingArn", arns.Thing(t.Name));
            WriteMap(w, "attributes", t.Record.Attributes);
            w.WriteNumber("version", t.Record.Version);
            w.WriteEndObject();
        });
    }

    public void CreateGroup(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var properties = request.Object("thingGroupProperties");
        var group = RegistryOperations.CreateGroup(
            state, tx, Names.Group(request.Path("thingGroupName")), request.Text("parentGroupName", 128),
            properties is { } p ? ControlPlaneRequest.Text(p, "thingGroupDescription", 2028) : null, properties is { } q ? Attributes(q) : null);
        WriteGroupIds(w, group);
    }

    public void DescribeGroup(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var group = state.Group(Names.Group(request.Path("thingGroupName")));
        WriteGroupIds(w, group);
        w.WriteNumber("version", group.Record.Version);
        w.WriteStartObject("thingGroupProperties");
        if (group.Record.Description is { } description)
        {
            w.WriteString("thingGroupDescription", description);
        }

        if (group.Record.Attributes.Count > 0)
        {
            w.WriteStartObject("attributePayload");
            WriteMap(w, "attributes", group.Record.Attributes);
            w.WriteEndObject();
        }

        w.WriteEndObject();
        w.WriteStartObject("thingGroupMetadata");
        if (group.Record.Parent is { } parent)
        {
            w.WriteString("parentGroupName", parent);
        }

        w.WriteNumber("creationDate", group.Record.CreatedMs / 1000.0);
        w.WriteEndObject();
    }

    public void DeleteGroup(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var name = Names.Group(request.Path("thingGroupName"));
        if (state.Groups.TryGetValue(name, out var group))
        {
            CheckVersion(request.QueryInteger("expectedVersion"), group.Record.Version);
            RegistryOperations.DeleteGroup(state, tx, name);
        }
    }

    public void ListGroups(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var (parent, prefix) = (request.Query("parentGroup"), request.Query("namePrefixFilter"));
        var recursive = request.Query("recursive") is null || request.QueryFlag("recursive");
        IEnumerable<ThingGroup> groups = parent is null ? state.Groups.Values.Where(g => recursive || g.Record.Parent is null) : Children(state.Group(parent), recursive);
        PageNames(request, w, groups.Where(g => prefix is null || g.Name.StartsWith(prefix, StringComparison.Ordinal)).Select(g => g.Name));
    }

    public void AddThingToGroup(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var (group, thing) = MemberOf(request);
        RegistryOperations.AddToGroup(state, tx, group, thing);
    }

    public void RemoveThingFromGroup(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var (group, thing) = MemberOf(request);
        RegistryOperations.RemoveFromGroup(state, tx, group, thing);
    }

    public void ListThingsInGroup(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var group = state.Group(Names.Group(request.Path("thingGroupName")));
        var from = From(request);
        IEnumerable<Thing> members = request.QueryFlag("recursive") ? Jobs.JobTargets.MembersOf(group).Distinct() : group.Members;
        Page(request, w, "things", members.Where(t => t.Slot >= from).OrderBy(t => t.Slot), t => w.WriteStringValue(t.Name));
    }

    public void ListGroupsForThing(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w) =>
        PageNames(request, w, state.Thing(Names.Thing(request.Path("thingName"))).Record.Groups);

    public void ListThingPrincipals(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var thing = state.Thing(Names.Thing(request.Path("thingName")));
        w.WriteStartArray("principals");
        if (thing.Record.CertificateId is { } id)
        {
            w.WriteStringValue(arns.Certificate(id));
        }

        w.WriteEndArray();
    }

    public void DescribeCertificate(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var id = request.Path("certificateId");
        var certificate = state.Certificates.TryGetValue(id, out var found) ? found : throw RefusedException.NotFound("the certificate doesn't exist");
        w.WriteStartObject("certificateDescription");
        w.WriteString("certificateArn", arns.Certificate(id));
        w.WriteString("certificateId", id);
        w.WriteString("status", certificate.Status.ToString());
        w.WriteString("certificatePem", certificate.Pem);
        w.WriteNumber("creationDate", certificate.CreatedMs / 1000.0);
        w.WriteStartObject("validity");
        w.WriteNumber("notBefore", certificate.NotBeforeMs / 1000.0);
        w.WriteNumber("notAfter", certificate.NotAfterMs / 1000.0);
        w.WriteEndObject();
        w.WriteEndObject();
    }

    public void UpdateCertificate(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var status = request.Query("newStatus") switch
        {
            "ACTIVE" => CertificateStatus.ACTIVE,
            "INACTIVE" => CertificateStatus.INACTIVE,
            "REVOKED" => CertificateStatus.REVOKED,
            _ => throw RefusedException.Invalid("newStatus must be ACTIVE, INACTIVE or REVOKED"),
        };
        var id = request.Path("certificateId");
        if (state.Certificates.TryGetValue(id, out var certificate) && certificate.Status == CertificateStatus.PENDING_ACTIVATION && status == CertificateStatus.ACTIVE)
        {
            throw RefusedException.Invalid("the certificate becomes active when its device is provisioned");
        }

        RegistryOperations.SetCertificate(state, tx, id, status);
    }

    private static IEnumerable<ThingGroup> Children(ThingGroup group, bool recursive) => recursive ? group.Children.SelectMany(c => Children(c, true).Prepend(c)) : group.Children;

    private (ThingGroup Group, Thing Thing) MemberOf(ControlPlaneRequest request)
    {
        var group = request.Text("thingGroupName") ?? (request.Text("thingGroupArn") is { } groupArn && arns.TryGroup(groupArn, out var g) ? g : throw RefusedException.Invalid("thingGroupName is missing"));
        var thing = request.Text("thingName") ?? (request.Text("thingArn") is { } thingArn && arns.TryThing(thingArn, out var t) ? t : throw RefusedException.Invalid("thingName is missing"));
        return (state.Group(Names.Group(group)), state.Thing(Names.Thing(thing)));
    }

    private void WriteThingIds(Utf8JsonWriter w, Thing thing)
    {
        w.WriteString("thingName", thing.Name);
        w.WriteString("thingArn", arns.Thing(thing.Name));
        w.WriteString("thingId", thing.Record.Id);
    }

    private void WriteGroupIds(Utf8JsonWriter w, ThingGroup group)
    {
        w.WriteString("thingGroupName", group.Name);
        w.WriteString("thingGroupArn", arns.Group(group.Name));
        w.WriteString("thingGroupId", group.Record.Id);
    }

    private void PageNames(ControlPlaneRequest request, Utf8JsonWriter w, IEnumerable<string> names)
    {
        var after = request.Query("nextToken");
        var limit = request.MaxResults(PageLimit);
        var page = names.Where(n => after is null || string.CompareOrdinal(n, after) > 0).Order(StringComparer.Ordinal).Take(limit + 1).ToList();
        w.WriteStartArray("thingGroups");
        foreach (var name in page.Take(limit))
        {
            w.WriteStartObject();
            w.WriteString("groupName", name);
            w.WriteString("groupArn", arns.Group(name));
            w.WriteEndObject();
        }

        w.WriteEndArray();
        if (page.Count > limit)
        {
            w.WriteString("nextToken", page[limit - 1]);
        }
    }

    private static int From(ControlPlaneRequest request) => request.QueryInteger("nextToken") is not { } token ? 0
        : token is >= 0 and <= int.MaxValue ? (int)token : throw RefusedException.Invalid("nextToken isn't valid");

    private static void Page(ControlPlaneRequest request, Utf8JsonWriter w, string name, IEnumerable<Thing> things, Action<Thing> write)
    {
        var limit = request.MaxResults(PageLimit);
        var next = -1;
        w.WriteStartArray(name);
        foreach (var thing in things)
        {
            if (limit-- == 0)
            {
                next = thing.Slot;
                break;
            }

            write(thing);
        }

        w.WriteEndArray();
        if (next >= 0)
        {
            w.WriteString("nextToken", next.ToString(CultureInfo.InvariantCulture));
        }
    }

    private static void CheckVersion(long? expected, long actual)
    {
        if (expected is { } version && version != actual)
        {
            throw new RefusedException(Refusal.VersionConflict, $"expected version {version} but found version {actual}");
        }
    }

    private static IReadOnlyDictionary<string, string>? Attributes(JsonElement body) =>
        ControlPlaneRequest.Member(body, "attributePayload", JsonValueKind.Object) is { } payload ? ControlPlaneRequest.Map(payload, "attributes") ?? new Dictionary<string, string>() : null;

    private static bool SameAttributes(IReadOnlyDictionary<string, string> a, IReadOnlyDictionary<string, string> b) =>
        a.Count == b.Count && a.All(m => b.TryGetValue(m.Key, out var value) && value == m.Value);

    public static void WriteMap(Utf8JsonWriter w, string name, IReadOnlyDictionary<string, string> map)
    {
        w.WriteStartObject(name);
        foreach (var (key, value) in map)
        {
            w.WriteString(key, value);
        }

        w.WriteEndObject();
    }
}
