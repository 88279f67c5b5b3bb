using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using OtaOrchestrator.Aws.Doctor;
using OtaOrchestrator.Aws.IoT.Adoption;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.DevicePlane;
using OtaOrchestrator.Protocol.V1;
using OtaOrchestrator.Server.Api;
using OtaOrchestrator.Server.Errors;
using OtaOrchestrator.Server.Store;
using OtaOrchestrator.Server.Targets;
using Environment = OtaOrchestrator.Protocol.V1.Environment;

namespace OtaOrchestrator.Server.Environments;

/// <summary>Environments and what can be changed in them.</summary>
public sealed class EnvironmentService(Database database, EmbeddedDevicePlane plane, FleetPlaces fleets, AccountDoctor doctor, TimeProvider time) : Protocol.V1.Environments.EnvironmentsBase
{
    public override async Task<Environment> CreateEnvironment(CreateEnvironmentRequest request, ServerCallContext context)
    {
        var key = context.Key(request.RequestId, request);
        if (key.Before(database, Environment.Parser) is { } before)
        {
            return before;
        }
        var id = ResourceNames.Checked(request.EnvironmentId, "environmentId");
        var environment = request.Environment?.Clone() ?? new Environment();
        if (Policies.Problems(environment) is { Length: > 0 } problems)
        {
            throw RefusedException.Invalid(problems);
        }
        var now = time.GetUtcNow();
        environment.Name = ResourceNames.Of(id);
        environment.Revision = 1;
        environment.CreateTime = Timestamp.FromDateTimeOffset(now);
        return await database.WriteAsync(db =>
        {
            if (!Journal.InsertEnvironment(db, new EnvironmentRow(id, JsonFormatter.Default.Format(environment), 1, now)))
            {
                throw new RefusedException(ErrorReason.AlreadyExists, $"environment {id} exists already");
            }
            Remember(db, key, environment, now);
            return environment;
        }, cancellation: context.CancellationToken);
    }

    public override Task<Environment> GetEnvironment(GetEnvironmentRequest request, ServerCallContext context)
    {
        var id = ResourceNames.Environment(request.Name);
        var row = database.Read(db => Journal.Environment(db, id)) ?? throw RefusedException.NotFound(request.Name);
        return Task.FromResult(Parse(row));
    }

    public override Task<ListEnvironmentsResponse> ListEnvironments(ListEnvironmentsRequest request, ServerCallContext context)
    {
        int size = Pages.Size(request.PageSize);
        var after = Pages.Parts(request.PageToken, 1).FirstOrDefault("");
        var rows = database.Read(db => Journal.Environments(db, after, size + 1));
        var answer = new ListEnvironmentsResponse { NextPageToken = rows.Count > size ? Pages.Token(rows[size - 1].Id) : "" };
        answer.Environments.AddRange(rows.Take(size).Select(Parse));
        return Task.FromResult(answer);
    }

    public override async Task<Target> CreateTarget(CreateTargetRequest request, ServerCallContext context)
    {
        var key = context.Key(request.RequestId, request);
        if (key.Before(database, Target.Parser) is { } before)
        {
            return before;
        }
        var environment = ResourceNames.Parent(request.Parent);
        var id = ResourceNames.Checked(request.TargetId, "targetId");
        var target = request.Target?.Clone() ?? throw RefusedException.Invalid("target", "is missing");
        var violations = new List<PlanViolation>();
        var kind = TargetRules.Check(target, violations);
        var current = ReleaseName.Parse(target.CurrentRelease.StartsWith("releases/", StringComparison.Ordinal) ? target.CurrentRelease["releases/".Length..] : target.CurrentRelease);
        if (current is null)
        {
            violations.Add(new PlanViolation("target.currentRelease", $"{Names.Shown(target.CurrentRelease)} is not a release", "releases/name@version: what the target runs now"));
        }
        if (violations.Count > 0)
        {
            throw RefusedException.Invalid(violations);
        }
        if (kind == TargetKind.Fleet && target.Fleet.Aws is null)
        {
            await plane.EnsureFleetAsync(target.Fleet.Fleet, context.CancellationToken);
        }
        var now = time.GetUtcNow();
        target.Name = ResourceNames.OfTarget(environment, id);
        target.CreateTime = Timestamp.FromDateTimeOffset(now);
        target.CurrentRelease = $"releases/{current}";
        return await database.WriteAsync(db =>
        {
            if (Journal.Environment(db, environment) is null)
            {
                throw RefusedException.NotFound(request.Parent);
            }
            if (Journal.Release(db, current!.Value.Name, current.Value.Version) is null)
            {
                throw RefusedException.Invalid("target.currentRelease", $"{current} is not published: publish what the target runs now, so that it can be returned to");
            }
            if (!Journal.InsertTarget(db, new TargetRow(environment, id, kind, JsonFormatter.Default.Format(target), current.Value.ToString(), "", 0, now)))
            {
                throw new RefusedException(ErrorReason.AlreadyExists, $"target {id} exists already in {environment}");
            }
            Remember(db, key, target, now);
            return target;
        }, cancellation: context.CancellationToken);
    }

    public override async Task AdoptFleet(AdoptFleetRequest request, IServerStreamWriter<AdoptFleetResponse> responseStream, ServerCallContext context)
    {
        var environment = ResourceNames.Parent(request.Parent);
        var id = ResourceNames.Checked(request.TargetId, "targetId");
        var target = new Target { Fleet = request.Fleet?.Clone() ?? throw RefusedException.Invalid("fleet", "is missing"), CurrentRelease = request.CurrentRelease };
        if (target.Fleet.Aws is null)
        {
            throw RefusedException.Invalid("fleet.aws", "is missing: devices of the device plane inside the server enrol themselves");
        }
        var violations = new List<PlanViolation>();
        TargetRules.Check(target, violations);
        if (request.Query.Length > 500 || request.Query.Any(char.IsControl))
        {
            violations.Add(new PlanViolation("query", "has more than 500 characters, or some that are not printed"));
        }
        if (violations.Count > 0)
        {
            throw RefusedException.Invalid(violations);
        }
        var adoption = new FleetAdoption(fleets.Of(target.Fleet).Iot);
        var query = request.Query.Length > 0 ? request.Query : $"thingGroupNames:{target.Fleet.Fleet}";
        var drives = target.Fleet.Aws.Mode is AdoptionMode.Unspecified or AdoptionMode.Drive;
        var inventory = await adoption.LookAsync(target.Fleet.Fleet, query, VersionSource.Parse(target.Fleet.Aws.VersionFrom)!, drives, context.CancellationToken);
        await responseStream.WriteAsync(new AdoptFleetResponse { Inventory = Told(inventory) }, context.CancellationToken);
        if (request.DryRun)
        {
            return;
        }
        if (drives && inventory.Findings.FirstOrDefault(finding => finding.Blocks) is { } blocks)
        {
            throw new RefusedException(ErrorReason.WrongState, $"{target.Fleet.Fleet} can't be driven: {blocks.Text}");
        }
        // Before anything is changed on AWS.
        database.Read(db => Adoptable(db, environment, id, target));
        if (drives)
        {
            await adoption.DriveAsync(target.Fleet.Fleet, query, (done, all) => responseStream.WriteAsync(new AdoptFleetResponse { CallsMade = done, CallsInAll = all }, context.CancellationToken), context.CancellationToken);
        }
        var made = await Adopted(environment, id, target, context);
        await responseStream.WriteAsync(new AdoptFleetResponse { Target = made }, context.CancellationToken);
    }

    public override async Task ExamineAwsAccount(ExamineAwsAccountRequest request, IServerStreamWriter<ExamineAwsAccountResponse> responseStream, ServerCallContext context)
    {
        var environment = ResourceNames.Parent(request.Parent);
        var targets = database.Read(db => Journal.Environment(db, environment) is null ? throw RefusedException.NotFound(request.Parent) : Journal.Targets(db, environment, "", int.MaxValue));
        var examined = targets.SelectMany(row => AccountExamination.Of(row.Id, Parse(row))).ToList();
        await foreach (var finding in doctor.ExamineAsync(examined, context.CancellationToken))
        {
            await responseStream.WriteAsync(new ExamineAwsAccountResponse { Findings = { AccountExamination.Told(finding) } }, context.CancellationToken);
        }
    }

    public override async Task<Target> GetTarget(GetTargetRequest request, ServerCallContext context)
    {
        var (environment, id) = ResourceNames.In(request.Name, "targets");
        var row = database.Read(db => Journal.Target(db, environment, ResourceNames.Checked(id, "name"))) ?? throw RefusedException.NotFound(request.Name);
        var target = Parse(row);
        if (target.Fleet is { } fleet)
        {
            fleet.Devices = await fleets.Of(fleet).Devices.CountAsync($"thingGroupNames:{fleet.Fleet}", context.CancellationToken);
        }
        return target;
    }

    public override Task<ListTargetsResponse> ListTargets(ListTargetsRequest request, ServerCallContext context)
    {
        var environment = ResourceNames.Parent(request.Parent);
        int size = Pages.Size(request.PageSize);
        var after = Pages.Parts(request.PageToken, 1).FirstOrDefault("");
        var rows = database.Read(db => Journal.Targets(db, environment, after, size + 1));
        var answer = new ListTargetsResponse { NextPageToken = rows.Count > size ? Pages.Token(rows[size - 1].Id) : "" };
        answer.Targets.AddRange(rows.Take(size).Select(Parse));
        return Task.FromResult(answer);
    }

    internal static Target Parse(TargetRow row)
    {
        var target = JsonParser.Default.Parse<Target>(row.Spec);
        target.CurrentRelease = $"releases/{row.CurrentRelease}";
        target.ActiveRollout = row.ActiveRollout.Length > 0 ? ResourceNames.OfRollout(row.Environment, row.ActiveRollout) : "";
        target.Epoch = row.Epoch;
        return target;
    }

    private static Environment Parse(EnvironmentRow row) => JsonParser.Default.Parse<Environment>(row.Spec);

    /// <summary>What a target is called where it lives: the router's route, the fleet's thing group, the alias.</summary>
    public static string PlaceOf(Target target) => target.KindCase switch
    {
        Target.KindOneofCase.Fleet => target.Fleet.Fleet,
        Target.KindOneofCase.CodeDeploy => $"{target.CodeDeploy.Application}/{target.CodeDeploy.DeploymentGroup}",
        Target.KindOneofCase.ApiGateway => $"{target.ApiGateway.RestApi}/{target.ApiGateway.Stage}",
        Target.KindOneofCase.CloudFront => target.CloudFront.Distribution,
        Target.KindOneofCase.Lambda => $"{target.Lambda.Function}:{target.Lambda.Alias}",
        _ => target.Router.Route,
    };

    /// <summary>The target with the place and the mode that were given, made if it is not there.</summary>
    private async Task<Target> Adopted(string environment, string id, Target target, ServerCallContext context)
    {
        var there = database.Read(db => Journal.Target(db, environment, id));
        if (there is null)
        {
            return await CreateTarget(new CreateTargetRequest { Parent = ResourceNames.Of(environment), TargetId = id, Target = target }, context);
        }
        return await database.WriteAsync(db =>
        {
            var row = Adoptable(db, environment, id, target)!;
            var spec = JsonParser.Default.Parse<Target>(row.Spec);
            spec.Fleet = target.Fleet;
            Journal.SetTargetSpec(db, environment, id, JsonFormatter.Default.Format(spec));
            return Parse(row with { Spec = JsonFormatter.Default.Format(spec) });
        }, cancellation: context.CancellationToken);
    }

    /// <summary>The target that is there, which must be the same fleet; null where it is still to be made, which must be possible.</summary>
    private static TargetRow? Adoptable(Statements db, string environment, string id, Target target)
    {
        if (Journal.Environment(db, environment) is null)
        {
            throw RefusedException.NotFound(ResourceNames.Of(environment));
        }
        if (Journal.Target(db, environment, id) is not { } row)
        {
            var current = ResourceNames.Release(target.CurrentRelease);
            return Journal.Release(db, current.Name, current.Version) is not null ? null
                : throw RefusedException.Invalid("currentRelease", $"{current} is not published: publish what the devices run now, so that they can be returned to it");
        }
        var there = JsonParser.Default.Parse<Target>(row.Spec).Fleet;
        if (there?.Fleet != target.Fleet.Fleet || there.Aws is null)
        {
            throw new RefusedException(ErrorReason.AlreadyExists, $"target {id} of {environment} is another one");
        }
        return row.ActiveRollout.Length == 0 ? row : throw new RefusedException(ErrorReason.TargetTaken, $"{id} is taken by rollout {row.ActiveRollout}: where its devices are can't change now");
    }

    private static Protocol.V1.FleetInventory Told(Aws.IoT.Adoption.FleetInventory inventory)
    {
        var told = new Protocol.V1.FleetInventory
        {
            Devices = inventory.Devices, Connected = inventory.Connected, Unknown = inventory.Unknown, Sampled = inventory.Sampled,
            Units = new BillableUnits { RemoteActionsPerRollout = inventory.Devices },
        };
        told.Versions.Add(new Dictionary<string, long>(inventory.Versions));
        told.Calls.AddRange(inventory.Calls.Select(call => new Protocol.V1.PlannedCall { Operation = call.Operation, Count = call.Count, Example = call.Example }));
        told.Findings.AddRange(inventory.Findings.Select(finding => new Protocol.V1.InventoryFinding { Code = finding.Code, Blocks = finding.Blocks, Text = finding.Text, Remedy = finding.Remedy }));
        return told;
    }

    private static void Remember(Statements db, Rollouts.RequestKey? key, IMessage answer, DateTimeOffset at)
    {
        if (key is not null)
        {
            Journal.InsertRequest(db, key.Actor, key.Id, key.BodySha256, answer.ToByteArray(), at);
        }
    }
}
