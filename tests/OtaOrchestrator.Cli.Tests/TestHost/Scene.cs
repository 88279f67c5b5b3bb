using System.Collections.Concurrent;
using System.Threading.Channels;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Tests.TestHost;

/// <summary>What the services of the test host know. Rules are the API's; figures are given by the test.</summary>
internal sealed class Scene
{
    public static readonly DateTimeOffset Now = new(2040, 11, 24, 3, 14, 7, TimeSpan.Zero);

    public Dictionary<string, Protocol.V1.Environment> Environments { get; } = [];
    public Dictionary<string, Target> Targets { get; } = [];
    public Dictionary<string, Release> Releases { get; } = [];
    public Dictionary<string, Rollout> Rollouts { get; } = [];
    public Dictionary<string, List<JournalEntry>> Journal { get; } = [];
    public Dictionary<string, Device> Devices { get; } = [];
    public List<Finding> Findings { get; } = [];
    public ConcurrentDictionary<string, IMessage> Answers { get; } = [];
    public ConcurrentDictionary<string, long> Published { get; } = [];

    public ConcurrentQueue<(string Method, IMessage Request)> Calls { get; } = [];
    public ConcurrentQueue<RpcException> FailBefore { get; } = [];
    public ConcurrentQueue<RpcException> FailAfter { get; } = [];

    /// <summary>What a watch sends after the present state; a null breaks the stream as a crash would.</summary>
    public Channel<WatchRolloutResponse?> Changes { get; } = Channel.CreateUnbounded<WatchRolloutResponse?>();

    public static Timestamp At(TimeSpan before) => Timestamp.FromDateTimeOffset(Now - before);

    public void AddEnvironment(string id) => Environments["environments/" + id] = new Protocol.V1.Environment { Name = "environments/" + id, CreateTime = At(TimeSpan.FromDays(9)) };

    public void Add(Rollout rollout, params JournalEntry[] journal)
    {
        Rollouts[rollout.Name] = rollout;
        Journal[rollout.Name] = [.. journal];
    }

    /// <summary>Runs a mutation once per request id; a repetition gets the first answer, another body is refused.</summary>
    public T Once<T>(string requestId, Func<T> act) where T : IMessage
    {
        if (requestId.Length == 0)
        {
            throw Refuse(StatusCode.InvalidArgument, ErrorReason.Invalid, "request_id is missing");
        }
        return (T)Answers.GetOrAdd(requestId, _ => act());
    }

    public static T Find<T>(Dictionary<string, T> all, string name) where T : class =>
        all.TryGetValue(name, out var found) ? found : throw Refuse(StatusCode.NotFound, ErrorReason.NotFound, $"there is no {name}");

    public static RpcException Refuse(StatusCode code, ErrorReason reason, string message, params (string Key, string Value)[] metadata)
    {
        var info = new ErrorInfo { Domain = "ota", Reason = Words(reason) };
        foreach (var (key, value) in metadata)
        {
            info.Metadata[key] = value;
        }
        return new Google.Rpc.Status { Code = (int)code, Message = message, Details = { Any.Pack(info) } }.ToRpcException();
    }

    public static RpcException Invalid(string message, params (string Field, string Text)[] violations)
    {
        var request = new BadRequest { FieldViolations = { violations.Select(v => new BadRequest.Types.FieldViolation { Field = v.Field, Description = v.Text }) } };
        return new Google.Rpc.Status
        {
            Code = (int)StatusCode.InvalidArgument,
            Message = message,
            Details = { Any.Pack(new ErrorInfo { Domain = "ota", Reason = Words(ErrorReason.Invalid) }), Any.Pack(request) },
        }.ToRpcException();
    }

    public Rollout Steer(string name, string requestId, string trigger, string actor, Func<RolloutState, RolloutState?> to) => Once(requestId, () =>
    {
        var rollout = Find(Rollouts, name);
        var next = to(rollout.State) ?? throw Refuse(StatusCode.FailedPrecondition, ErrorReason.WrongState, $"{trigger} is not possible while {rollout.State}");
        var from = rollout.State;
        rollout.State = next;
        rollout.Revision++;
        rollout.UpdateTime = At(TimeSpan.Zero);
        Journal[name].Add(new JournalEntry { Revision = rollout.Revision, Time = At(TimeSpan.Zero), Actor = actor, Trigger = trigger, From = from.ToString(), To = next.ToString() });
        return rollout.Clone();
    });

    private static string Words(ErrorReason reason) => reason.GetType().GetField(reason.ToString())!.GetCustomAttributes(typeof(Google.Protobuf.Reflection.OriginalNameAttribute), false)
        .Cast<Google.Protobuf.Reflection.OriginalNameAttribute>().Single().Name;
}
