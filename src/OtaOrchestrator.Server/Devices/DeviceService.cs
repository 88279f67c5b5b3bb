using System.Collections.Immutable;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using OtaOrchestrator.Aws.IoT;
using OtaOrchestrator.Aws.IoT.Adoption;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.DevicePlane;
using OtaOrchestrator.Firmware.Signing;
using OtaOrchestrator.Protocol.V1;
using OtaOrchestrator.Server.Api;
using OtaOrchestrator.Server.Errors;
using OtaOrchestrator.Server.Hosting;
using OtaOrchestrator.Server.Rollouts;
using OtaOrchestrator.Server.Store;
using OtaOrchestrator.Server.Targets;

namespace OtaOrchestrator.Server.Devices;

/// <summary>Devices as they describe themselves.</summary>
public sealed partial class DeviceService(Database database, Ledger ledger, FleetPlaces places, EmbeddedDevicePlane plane, SigningKey signing, ServerAddresses addresses, Home home, TimeProvider time, ILogger<DeviceService> logger) : Protocol.V1.Devices.DevicesBase
{
    public override async Task<Device> GetDevice(GetDeviceRequest request, ServerCallContext context)
    {
        var (environment, thing) = Name(request.Name);
        var (device, _) = await FindAsync(environment, thing, context.CancellationToken);
        return device;
    }

    public override async Task<ListDevicesResponse> ListDevices(ListDevicesRequest request, ServerCallContext context)
    {
        var environment = ResourceNames.Parent(request.Parent);
        var asked = Asked(environment, request.Filter);
        // A page is of one place; the token says which one is next, and where in it.
        var (at, token) = Pages.Parts(request.PageToken, 2) is [var place, var rest] ? (asked.FindIndex(one => one.Place.Key == place), rest) : (0, "");
        if (at < 0)
        {
            throw RefusedException.Invalid("pageToken", "was not given out here");
        }
        if (asked.Count == 0)
        {
            return new ListDevicesResponse();
        }
        var (devices, next) = await asked[at].Place.Devices.SearchAsync(asked[at].Query, Pages.Size(request.PageSize, usual: 100, most: 500), token, context.CancellationToken);
        var answer = new ListDevicesResponse
        {
            NextPageToken = next.Length > 0 ? Pages.Token(asked[at].Place.Key, next) : at + 1 < asked.Count ? Pages.Token(asked[at + 1].Place.Key, "") : "",
        };
        answer.Devices.AddRange(devices.Select(device => ToProto(environment, asked[at].Place, device)));
        return answer;
    }

    public override async Task<CountDevicesResponse> CountDevices(CountDevicesRequest request, ServerCallContext context)
    {
        var environment = ResourceNames.Parent(request.Parent);
        var answer = new CountDevicesResponse();
        foreach (var (place, query) in Asked(environment, request.Filter))
        {
            answer.Total += await place.Devices.CountAsync(query, context.CancellationToken);
            foreach (var (value, count) in request.By.Length == 0 ? ImmutableDictionary<string, long>.Empty : await place.Devices.CountByAsync(query, DeviceQuery.Field(request.By, place.Version), context.CancellationToken))
            {
                answer.Counts[value] = answer.Counts.GetValueOrDefault(value) + count;
            }
        }
        return answer;
    }

    public override async Task<EnrollDevicesResponse> EnrollDevices(EnrollDevicesRequest request, ServerCallContext context)
    {
        // Only that the request came is kept, never its answer, which holds a private key: the same request again makes another claim.
        var key = context.Key(request.RequestId, request);
        bool before = key.Before(database, Empty.Parser) is not null;
        var environment = ResourceNames.Parent(request.Parent);
        var target = Fleet(environment, request.Target);
        if (target.Aws is not null)
        {
            throw new RefusedException(ErrorReason.WrongState, $"the devices of {target.Fleet} are registered with AWS IoT: enrol them there");
        }
        var fleet = target.Fleet;
        if (!before)
        {
            await RememberAsync(key, new Empty());
        }
        var claim = await plane.IssueClaimAsync(fleet, context.CancellationToken);
        return new EnrollDevicesResponse
        {
            Fleet = fleet,
            ClaimCertificatePem = claim.CertificatePem,
            ClaimKeyPem = claim.PrivateKeyPem,
            ServerCaPem = await File.ReadAllTextAsync(Path.Combine(home.Pki, "server-ca.crt"), context.CancellationToken),
            MqttEndpoint = addresses.Mqtt,
            ReleaseKeyPem = signing.Public.ToPem(),
        };
    }

    public override async Task<Device> RevokeDevice(RevokeDeviceRequest request, ServerCallContext context)
    {
        var key = context.Key(request.RequestId, request);
        if (key.Before(database, Device.Parser) is { } before)
        {
            return before;
        }
        var reason = Reasons.Checked(request.Reason) ?? "";
        var (environment, thing) = Name(request.Name);
        var (device, place) = await FindAsync(environment, thing, context.CancellationToken);
        await place.Devices.RevokeAsync(thing, time.GetUtcNow(), context.CancellationToken);
        var actor = context.Actor().Name;
        LogRevoked(request.Name, actor, reason);
        device.Revoked = true;
        device.Connected = false;
        await RememberAsync(key, device);
        return device;
    }

    public override async Task<GroupDevicesResponse> GroupDevices(GroupDevicesRequest request, ServerCallContext context)
    {
        var key = context.Key(request.RequestId, request);
        if (key.Before(database, GroupDevicesResponse.Parser) is { } before)
        {
            return before;
        }
        var environment = ResourceNames.Parent(request.Parent);
        var fleet = Fleet(environment, request.Target);
        if (!Names.IsGroup(request.Group) || request.Group.Length > 60 || Cohorts.Takes(request.Group))
        {
            throw RefusedException.Invalid("group", $"{Names.Shown(request.Group)} is not a name for a group");
        }
        if (request.Devices.Count is 0 or > 1000 || request.Devices.Any(thing => !Names.IsGroup(thing)))
        {
            throw RefusedException.Invalid("devices", "are 1 to 1000 names of things");
        }
        var answer = new GroupDevicesResponse { Added = await places.Of(fleet).Devices.AddToGroupAsync(fleet.Fleet, request.Group, request.Devices, context.CancellationToken) };
        await RememberAsync(key, answer);
        return answer;
    }

    private async Task RememberAsync(RequestKey? key, IMessage answer)
    {
        if (key is not null)
        {
            await database.WriteAsync(db => { Journal.InsertRequest(db, key.Actor, key.Id, key.BodySha256, answer.ToByteArray(), time.GetUtcNow()); return true; });
        }
    }

    private async Task<(Device Device, FleetPlace Place)> FindAsync(string environment, string thing, CancellationToken cancellation)
    {
        foreach (var (place, query) in Asked(environment, ""))
        {
            if ((await place.Devices.SearchAsync($"thingName:{DeviceQuery.Quoted(thing)} AND {query}", 1, "", cancellation)).Devices is [var device])
            {
                return (ToProto(environment, place, device), place);
            }
        }
        throw RefusedException.NotFound(ResourceNames.OfDevice(environment, thing));
    }

    /// <summary>What is asked of each place where the environment has fleets.</summary>
    private List<(FleetPlace Place, string Query)> Asked(string environment, string filter)
    {
        var fleets = Fleets(environment);
        var names = fleets.ConvertAll(fleet => fleet.Fleet);
        return [.. fleets.GroupBy(places.Of).Select(place => (place.Key, Query(environment, filter, place.Key.Version, names, [.. place.Select(fleet => fleet.Fleet).Distinct(StringComparer.Ordinal)])))
            .Where(asked => asked.Item2.Length > 0)];
    }

    /// <param name="known">Every fleet of the environment.</param>
    /// <param name="fleets">Those that are asked about; empty comes back where the filter leaves none of them.</param>
    private string Query(string environment, string filter, VersionSource version, IReadOnlyList<string> known, IReadOnlyList<string> fleets)
    {
        var query = DeviceQuery.Of(filter, known, fleets, version);
        if (query.Length == 0 || !DeviceQuery.Terms(filter).TryGetValue("tail", out var id))
        {
            return query;
        }
        var rollout = ledger.Find(environment, ResourceNames.Checked(id, "filter")) ?? throw RefusedException.NotFound(ResourceNames.OfRollout(environment, id));
        var lane = rollout.Lanes.FirstOrDefault(lane => lane.Kind == TargetKind.Fleet) ?? throw RefusedException.Invalid("filter", $"{id} changed no fleet");
        // Who still says that it runs the candidate, or has it underway, has not come back.
        var digests = (lane.Predecessors ?? []).Select(before => before.Digest).Prepend(lane.Candidate.Digest).Select(DeviceQuery.Quoted);
        return $"{query} AND shadow.name.ota.reported.digest:({string.Join(" OR ", digests)})";
    }

    private static (string Environment, string Thing) Name(string name)
    {
        var (environment, thing) = ResourceNames.In(name, "devices");
        return Names.IsGroup(thing) ? (environment, thing) : throw RefusedException.Invalid("name", $"{Names.Shown(thing)} is not a thing's name");
    }

    private List<FleetTarget> Fleets(string environment) => database.Read(db =>
    {
        if (Journal.Environment(db, environment) is null)
        {
            throw RefusedException.NotFound(ResourceNames.Of(environment));
        }
        return Journal.Targets(db, environment, "", 1000).Where(row => row.Kind == TargetKind.Fleet).Select(row => Environments.EnvironmentService.Parse(row).Fleet).ToList();
    });

    private FleetTarget Fleet(string environment, string target)
    {
        var row = database.Read(db => Journal.Target(db, environment, ResourceNames.Checked(target, "target"))) ?? throw RefusedException.NotFound(ResourceNames.OfTarget(environment, target));
        return Environments.EnvironmentService.Parse(row).Fleet ?? throw RefusedException.Invalid("target", $"{target} is not a fleet");
    }

    private static Device ToProto(string environment, FleetPlace place, IndexedDevice indexed)
    {
        var cohort = indexed.Groups.FirstOrDefault(group => group.Length > 4 && group[^4..] is ['-', 'c', >= '0' and <= '9', >= '0' and <= '9']);
        var device = new Device
        {
            Name = ResourceNames.OfDevice(environment, indexed.Thing),
            Connected = indexed.Connected,
            Revoked = indexed.Revoked,
            Cohort = cohort is null ? "" : cohort[^3..],
        };
        if (!place.Version.IsAgent)
        {
            device.Release = place.Version.Of(indexed.Attributes, indexed.ShadowJson);
        }
        device.Groups.AddRange(indexed.Groups.Where(group => group != cohort));
        if (indexed.ShadowJson.Length == 0)
        {
            return device;
        }
        using var shadow = JsonDocument.Parse(indexed.ShadowJson);
        if (!shadow.RootElement.TryGetProperty("name", out var named) || !named.TryGetProperty("ota", out var ota) || !ota.TryGetProperty("reported", out var root))
        {
            return device;
        }
        device.Fleet = Text(root, "fleet");
        device.Hardware = Text(root, "hardware");
        device.Release = place.Version.IsAgent ? Text(root, "release") : device.Release;
        device.Digest = Text(root, "digest");
        device.Previous = Text(root, "previous");
        device.Health = Text(root, "health");
        device.HealthReason = Text(root, "healthReason");
        device.SecurityCounter = Number(root, "counter");
        if (Number(root, "checkIn") is > 0 and < 253402300799 and var checkIn)
        {
            device.CheckIn = Timestamp.FromDateTimeOffset(DateTimeOffset.FromUnixTimeSeconds(checkIn));
        }
        if (root.TryGetProperty("job", out var job) && job.ValueKind == JsonValueKind.Object)
        {
            device.Job = Text(job, "id");
            device.Outcome = Text(job, "outcome");
            device.Reason = Text(job, "reason");
            device.Detail = Text(job, "detail");
        }
        return device;
    }

    private static string Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static long Number(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) ? number : 0;

    [LoggerMessage(Level = LogLevel.Information, Message = "{Device} revoked by {Actor}: {Reason}")]
    private partial void LogRevoked(string device, string actor, string reason);
}
