using System.Security.Cryptography.X509Certificates;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Tests.TestHost;

internal sealed class RolloutsOfScene(Scene scene) : Rollouts.RolloutsBase
{
    public override Task<Rollout> CreateRollout(CreateRolloutRequest request, ServerCallContext context)
    {
        var plan = request.Plan;
        var held = plan.Lanes.Select(l => Scene.Find(scene.Releases, "releases/" + l.Release)).FirstOrDefault(r => r.Holds.Any(h => h.Environment == request.Parent));
        if (held is not null)
        {
            throw Scene.Refuse(StatusCode.FailedPrecondition, ErrorReason.ReleaseHeld, $"{held.Name} is held in {request.Parent}: {held.Holds[0].Reason}");
        }
        var taken = plan.Lanes.Select(l => Scene.Find(scene.Targets, $"{request.Parent}/targets/{l.Target}")).FirstOrDefault(t => t.ActiveRollout.Length > 0);
        if (taken is not null)
        {
            throw Scene.Refuse(StatusCode.FailedPrecondition, ErrorReason.TargetTaken, $"{taken.Name} is taken by {taken.ActiveRollout}", ("rollout", taken.ActiveRollout));
        }
        return Task.FromResult(scene.Once(request.RequestId, () =>
        {
            var name = $"{request.Parent}/rollouts/{(request.RolloutId.Length > 0 ? request.RolloutId : plan.Name.Length > 0 ? plan.Name : "r1")}";
            var rollout = new Rollout
            {
                Name = name, State = RolloutState.Pending, Revision = 1, Plan = plan.Clone(), StartedBy = Actor(context), CreateTime = Scene.At(TimeSpan.Zero), UpdateTime = Scene.At(TimeSpan.Zero),
                Next = "prepares its lanes",
                Lanes = { plan.Lanes.Select(l => new Lane { Name = l.Name.Length > 0 ? l.Name : l.Target, Target = l.Target, Candidate = l.Release, Fallback = "before@1.0.0", State = RolloutState.Pending, Step = -1 }) },
            };
            if (!request.ValidateOnly)
            {
                scene.Add(rollout, new JournalEntry { Revision = 1, Time = Scene.At(TimeSpan.Zero), Actor = Actor(context), Trigger = "Created", To = "Pending" });
            }
            return rollout.Clone();
        }));
    }

    public override Task<Rollout> GetRollout(GetRolloutRequest request, ServerCallContext context) => Task.FromResult(Scene.Find(scene.Rollouts, request.Name));

    public override Task<ListRolloutsResponse> ListRollouts(ListRolloutsRequest request, ServerCallContext context)
    {
        var all = scene.Rollouts.Values.Where(r => r.Name.StartsWith(request.Parent + "/", StringComparison.Ordinal)).OrderByDescending(r => r.CreateTime).ToList();
        var from = request.PageToken.Length > 0 ? int.Parse(request.PageToken, System.Globalization.CultureInfo.InvariantCulture) : 0;
        var page = all.Skip(from).Take(Math.Min(request.PageSize, 2)).ToList();
        var more = from + page.Count < all.Count;
        return Task.FromResult(new ListRolloutsResponse { Rollouts = { page }, NextPageToken = more ? (from + page.Count).ToString(System.Globalization.CultureInfo.InvariantCulture) : "" });
    }

    public override async Task WatchRollout(WatchRolloutRequest request, IServerStreamWriter<WatchRolloutResponse> responseStream, ServerCallContext context)
    {
        scene.Calls.Enqueue(("WatchRollout", request));
        var rollout = Scene.Find(scene.Rollouts, request.Name);
        await responseStream.WriteAsync(new WatchRolloutResponse { Rollout = rollout, Entries = { scene.Journal[request.Name].Where(e => e.Revision > request.AfterRevision) } });
        await foreach (var change in scene.Changes.Reader.ReadAllAsync(context.CancellationToken))
        {
            if (change is null)
            {
                context.GetHttpContext().Abort();
                return;
            }
            scene.Rollouts[request.Name] = change.Rollout;
            scene.Journal[request.Name].AddRange(change.Entries);
            await responseStream.WriteAsync(change);
        }
    }

    public override Task<ListJournalResponse> ListJournal(ListJournalRequest request, ServerCallContext context) =>
        Task.FromResult(new ListJournalResponse { Entries = { scene.Journal[Scene.Find(scene.Rollouts, request.Name).Name].Where(e => e.Revision > request.AfterRevision).Take(2) } });

    public override Task<Rollout> PauseRollout(PauseRolloutRequest request, ServerCallContext context) =>
        Task.FromResult(scene.Steer(request.Name, request.RequestId, "Pause", Actor(context), s => s is RolloutState.Baking or RolloutState.Exposing ? RolloutState.Paused : null));

    public override Task<Rollout> ResumeRollout(ResumeRolloutRequest request, ServerCallContext context) =>
        Task.FromResult(scene.Steer(request.Name, request.RequestId, "Resume", Actor(context), s => s is RolloutState.Paused or RolloutState.Held ? RolloutState.Baking : null));

    public override Task<Rollout> ApproveRollout(ApproveRolloutRequest request, ServerCallContext context)
    {
        var rollout = Scene.Find(scene.Rollouts, request.Name);
        if (rollout.StartedBy == Actor(context))
        {
            throw Scene.Refuse(StatusCode.PermissionDenied, ErrorReason.NotApprover, "you started it");
        }
        return Task.FromResult(scene.Steer(request.Name, request.RequestId, "Approve", Actor(context), s => s is RolloutState.AwaitingApproval ? RolloutState.Exposing : null));
    }

    public override Task<Rollout> PromoteRollout(PromoteRolloutRequest request, ServerCallContext context)
    {
        var rollout = Scene.Find(scene.Rollouts, request.Name);
        if (request.Revision != 0 && request.Revision != rollout.Revision)
        {
            throw Scene.Refuse(StatusCode.Aborted, ErrorReason.LostRace, $"the rollout is at revision {rollout.Revision}");
        }
        return Task.FromResult(scene.Steer(request.Name, request.RequestId, "Promote", Actor(context), s => s is RolloutState.AwaitingPromotion ? RolloutState.Promoting : null));
    }

    public override Task<Rollout> CancelRollout(CancelRolloutRequest request, ServerCallContext context) =>
        Task.FromResult(scene.Steer(request.Name, request.RequestId, "Cancel", Actor(context), s => s is RolloutState.Pending or RolloutState.AwaitingApproval ? RolloutState.Cancelled : null));

    public override Task<Rollout> HaltRollout(HaltRolloutRequest request, ServerCallContext context) =>
        Task.FromResult(scene.Steer(request.Name, request.RequestId, "Halt", Actor(context), s => s is RolloutState.RollingBack ? RolloutState.RollbackStuck : RolloutState.Paused));

    public override Task<RollbackRolloutResponse> RollbackRollout(RollbackRolloutRequest request, ServerCallContext context) => Task.FromResult(scene.Once(request.RequestId, () =>
    {
        var rollout = Scene.Find(scene.Rollouts, request.Name);
        if (rollout.State is RolloutState.RollingBack or RolloutState.RolledBack)
        {
            return new RollbackRolloutResponse { Rollout = rollout.Clone(), Already = true, JournalRevision = rollout.Revision };
        }
        if (rollout.State is RolloutState.Pending or RolloutState.Cancelled)
        {
            throw Scene.Refuse(StatusCode.FailedPrecondition, ErrorReason.NothingToUndo, "it has exposed nothing");
        }
        if (rollout.State is RolloutState.Succeeded && rollout.WayBack is not { Ready: true })
        {
            throw Scene.Refuse(StatusCode.FailedPrecondition, ErrorReason.WindowClosed, "its window has closed");
        }
        foreach (var lane in rollout.Lanes.Where(l => request.Lane.Length == 0 || l.Name == request.Lane))
        {
            lane.State = RolloutState.RollingBack;
        }
        var back = scene.Steer(request.Name, request.RequestId + "/1", "Rollback", Actor(context), _ => RolloutState.RollingBack);
        return new RollbackRolloutResponse
        {
            Rollout = back, AcceptTime = Scene.At(TimeSpan.Zero), JournalRevision = back.Revision,
            Warnings = { request.Lane.Length > 0 ? ["the other lanes stay on their candidate"] : (string[])[] },
        };
    }));

    public override Task<UndoSheet> GetUndoSheet(GetUndoSheetRequest request, ServerCallContext context) => Task.FromResult(new UndoSheet
    {
        Rollout = Scene.Find(scene.Rollouts, request.Name).Name,
        Text = $"UNDO {request.Name}\n1. put the router's route back\n",
    });

    internal static string Actor(ServerCallContext context) =>
        context.GetHttpContext().Connection.ClientCertificate!.GetNameInfo(System.Security.Cryptography.X509Certificates.X509NameType.SimpleName, false);
}

internal sealed class ReleasesOfScene(Scene scene) : Releases.ReleasesBase
{
    public override async Task<Release> PublishRelease(IAsyncStreamReader<PublishReleaseRequest> requestStream, ServerCallContext context)
    {
        if (!await requestStream.MoveNext(context.CancellationToken) || requestStream.Current.Head is not { } head)
        {
            throw Scene.Refuse(StatusCode.InvalidArgument, ErrorReason.Invalid, "the head comes first");
        }
        return await TakeAsync(scene, head, Stream.Null, RolloutsOfScene.Actor(context), context.CancellationToken);
    }

    /// <summary>An image by plain HTTP.</summary>
    public static async Task PutAsync(HttpContext context, Scene scene, string release)
    {
        IMessage answer;
        try
        {
            var head = JsonParser.Default.Parse<PublishReleaseRequest.Types.Head>(context.Request.Query["head"]);
            Assert.Equal("releases/" + release, head.Release.Name);
            answer = await TakeAsync(scene, head, context.Request.Body, context.Connection.ClientCertificate!.GetNameInfo(X509NameType.SimpleName, false), context.RequestAborted);
        }
        catch (RpcException refused)
        {
            answer = refused.GetRpcStatus() ?? new Google.Rpc.Status { Code = (int)refused.StatusCode, Message = refused.Status.Detail };
            context.Response.StatusCode = 400;
        }
        var json = new JsonFormatter(JsonFormatter.Settings.Default.WithTypeRegistry(TypeRegistry.FromMessages(Google.Rpc.ErrorInfo.Descriptor)));
        await context.Response.WriteAsync(json.Format(answer));
    }

    private static async Task<Release> TakeAsync(Scene scene, PublishReleaseRequest.Types.Head head, Stream image, string actor, CancellationToken cancellation)
    {
        using var hash = System.Security.Cryptography.IncrementalHash.CreateHash(System.Security.Cryptography.HashAlgorithmName.SHA256);
        long bytes = 0;
        var buffer = new byte[64 * 1024];
        for (int read; (read = await image.ReadAsync(buffer, cancellation)) > 0; bytes += read)
        {
            hash.AppendData(buffer, 0, read);
            if (scene.FailAfter.TryDequeue(out var cut))
            {
                throw cut;
            }
        }
        var digest = Convert.ToHexStringLower(hash.GetHashAndReset());
        var release = head.Release.Clone();
        if (release.Firmware is not null)
        {
            if (bytes != release.Firmware.Size)
            {
                throw Scene.Refuse(StatusCode.InvalidArgument, ErrorReason.ImageRefused, $"{bytes} bytes came, {release.Firmware.Size} were announced");
            }
            if (head.ExpectedSha256.Length > 0 && head.ExpectedSha256 != digest)
            {
                throw Scene.Refuse(StatusCode.InvalidArgument, ErrorReason.ImageRefused, "the image's hash is not what was said");
            }
            release.Firmware.Signature = "MEUC";
            release.Firmware.Format = "opaque";
        }
        release.Digest = "sha256:" + digest;
        release.Publisher = actor;
        release.PublishTime = Scene.At(TimeSpan.Zero);
        scene.Published[head.RequestId] = bytes;
        scene.Releases[release.Name] = release;
        return release;
    }

    public override Task<Release> GetRelease(GetReleaseRequest request, ServerCallContext context) => Task.FromResult(Scene.Find(scene.Releases, request.Name));

    public override Task<ListReleasesResponse> ListReleases(ListReleasesRequest request, ServerCallContext context) =>
        Task.FromResult(new ListReleasesResponse { Releases = { scene.Releases.Values.OrderBy(r => r.Name, StringComparer.Ordinal) } });

    public override Task<VerifyReleaseResponse> VerifyRelease(VerifyReleaseRequest request, ServerCallContext context)
    {
        var intact = Scene.Find(scene.Releases, request.Name).Digest.Length > 0;
        return Task.FromResult(new VerifyReleaseResponse { Intact = intact, Findings = { intact ? (string[])[] : ["the stored file's hash differs"] } });
    }

    public override Task<Release> UnholdRelease(UnholdReleaseRequest request, ServerCallContext context) => Task.FromResult(scene.Once(request.RequestId, () =>
    {
        var release = Scene.Find(scene.Releases, request.Name);
        release.Holds.Remove(release.Holds.Single(h => h.Environment == request.Environment));
        return release.Clone();
    }));
}

internal sealed class EnvironmentsOfScene(Scene scene) : Environments.EnvironmentsBase
{
    public override Task<Protocol.V1.Environment> CreateEnvironment(CreateEnvironmentRequest request, ServerCallContext context) => Task.FromResult(scene.Once(request.RequestId, () =>
    {
        var made = request.Environment.Clone();
        made.Name = "environments/" + request.EnvironmentId;
        scene.Environments.Add(made.Name, made);
        return made;
    }));

    public override Task<Protocol.V1.Environment> GetEnvironment(GetEnvironmentRequest request, ServerCallContext context) => Task.FromResult(Scene.Find(scene.Environments, request.Name));

    public override Task<ListEnvironmentsResponse> ListEnvironments(ListEnvironmentsRequest request, ServerCallContext context) =>
        Task.FromResult(new ListEnvironmentsResponse { Environments = { scene.Environments.Values } });

    public override async Task ExamineAwsAccount(ExamineAwsAccountRequest request, IServerStreamWriter<ExamineAwsAccountResponse> responseStream, ServerCallContext context)
    {
        var there = request.Parent == "environments/production";
        await Tell("CREDENTIALS", AwsAccountFinding.Types.Verdict.Ok, "account", "account 111122223333 as ota-orchestrator", "");
        await Tell("SECURITY_HUB", AwsAccountFinding.Types.Verdict.Advice, "eu-central-1", "Security Hub is off", "aws securityhub enable-security-hub");
        if (!there)
        {
            await Tell("ALIAS", AwsAccountFinding.Types.Verdict.Missing, "api", "there is no live\u001b[31m", "aws lambda create-alias");
            await Tell("TRAIL", AwsAccountFinding.Types.Verdict.Unknown, "eu-central-1", "AWS does not permit cloudtrail:DescribeTrails", "attach deploy/iam/controls.json");
        }

        Task Tell(string code, AwsAccountFinding.Types.Verdict verdict, string subject, string text, string remedy) => responseStream.WriteAsync(
            new ExamineAwsAccountResponse { Findings = { new AwsAccountFinding { Code = code, Verdict = verdict, Subject = subject, Asked = "sts:GetCallerIdentity", Text = text, Remedy = remedy } } }, context.CancellationToken);
    }

    public override Task<Target> CreateTarget(CreateTargetRequest request, ServerCallContext context) => Task.FromResult(scene.Once(request.RequestId, () =>
    {
        var made = request.Target.Clone();
        made.Name = $"{request.Parent}/targets/{request.TargetId}";
        scene.Targets.Add(made.Name, made);
        return made;
    }));

    public override Task<Target> GetTarget(GetTargetRequest request, ServerCallContext context) => Task.FromResult(Scene.Find(scene.Targets, request.Name));

    public override Task<ListTargetsResponse> ListTargets(ListTargetsRequest request, ServerCallContext context) =>
        Task.FromResult(new ListTargetsResponse { Targets = { scene.Targets.Values.Where(t => t.Name.StartsWith(request.Parent + "/", StringComparison.Ordinal)) } });
}

internal sealed class DevicesOfScene(Scene scene) : Devices.DevicesBase
{
    public override Task<Device> GetDevice(GetDeviceRequest request, ServerCallContext context) => Task.FromResult(Scene.Find(scene.Devices, request.Name));

    public override Task<ListDevicesResponse> ListDevices(ListDevicesRequest request, ServerCallContext context) =>
        Task.FromResult(new ListDevicesResponse { Devices = { scene.Devices.Values.Where(d => d.Name.StartsWith(request.Parent + "/", StringComparison.Ordinal)) } });

    public override Task<CountDevicesResponse> CountDevices(CountDevicesRequest request, ServerCallContext context)
    {
        var answer = new CountDevicesResponse { Total = scene.Devices.Count };
        foreach (var group in scene.Devices.Values.GroupBy(d => request.By == "release" ? d.Release : d.Health))
        {
            answer.Counts[group.Key] = group.Count();
        }
        return Task.FromResult(answer);
    }

    public override Task<EnrollDevicesResponse> EnrollDevices(EnrollDevicesRequest request, ServerCallContext context) => Task.FromResult(scene.Once(request.RequestId, () => new EnrollDevicesResponse
    {
        Fleet = request.Target, ClaimCertificatePem = "CLAIM", ClaimKeyPem = "SECRET", ServerCaPem = "CA", ReleaseKeyPem = "KEY", MqttEndpoint = "127.0.0.1:8883",
    }));

    public override Task<Device> RevokeDevice(RevokeDeviceRequest request, ServerCallContext context) => Task.FromResult(scene.Once(request.RequestId, () =>
    {
        var device = Scene.Find(scene.Devices, request.Name);
        device.Revoked = true;
        return device.Clone();
    }));

    public override Task<GroupDevicesResponse> GroupDevices(GroupDevicesRequest request, ServerCallContext context) =>
        Task.FromResult(scene.Once(request.RequestId, () => new GroupDevicesResponse { Added = request.Devices.Count }));
}

internal sealed class AuditOfScene(Scene scene) : Audit.AuditBase
{
    public override Task<CheckConsistencyResponse> CheckConsistency(CheckConsistencyRequest request, ServerCallContext context) =>
        Task.FromResult(new CheckConsistencyResponse { Findings = { scene.Findings }, Rollouts = scene.Rollouts.Count, Entries = scene.Journal.Sum(j => j.Value.Count), Devices = scene.Devices.Count, Effects = 3 });

    public override Task<ServerInfo> GetServerInfo(GetServerInfoRequest request, ServerCallContext context) =>
        Task.FromResult(new ServerInfo { Version = "test", Actor = RolloutsOfScene.Actor(context), StartId = "s1" });
}
