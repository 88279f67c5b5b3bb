using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Logging;
using OtaOrchestrator.Aws.Clients;
using OtaOrchestrator.Core.Ports;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Protocol.V1;
using OtaOrchestrator.Server.Reconciling;
using OtaOrchestrator.Server.Rollouts;
using OtaOrchestrator.Server.Store;
using Status = Google.Rpc.Status;

namespace OtaOrchestrator.Server.Errors;

/// <summary>Turns refusals into <c>google.rpc.Status</c>, in this one place. No exception's text crosses the wire unless it was written for that.</summary>
public sealed partial class StatusMapping(ILogger<StatusMapping> logger) : Interceptor
{
    private const string Domain = "ota";

    // The number of the error in which a write to a full disk ends.
    private const int NoSpace = 28;

    /// <summary>What a status carries; JSON can't be written without knowing these.</summary>
    public static readonly TypeRegistry Details = TypeRegistry.FromMessages(ErrorInfo.Descriptor, BadRequest.Descriptor, RetryInfo.Descriptor);

    public static RefusedException Of(Refusal refusal) => new(
        refusal.Reason switch
        {
            RefusalReason.NothingToUndo => ErrorReason.NothingToUndo,
            RefusalReason.WindowClosed => ErrorReason.WindowClosed,
            RefusalReason.NotApprover => ErrorReason.NotApprover,
            _ => ErrorReason.WrongState,
        },
        refusal.Text);

    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(request, context);
        }
        catch (Exception error) when (error is not RpcException)
        {
            throw Map(error, context);
        }
    }

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(requestStream, context);
        }
        catch (Exception error) when (error is not RpcException)
        {
            throw Map(error, context);
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(request, responseStream, context);
        }
        catch (Exception error) when (error is not RpcException)
        {
            throw Map(error, context);
        }
    }

    private RpcException Map(Exception error, ServerCallContext context) => error is OperationCanceledException or IOException && context.CancellationToken.IsCancellationRequested
        ? new RpcException(new Grpc.Core.Status(StatusCode.Cancelled, "the caller went away"))
        : StatusOf(error, context.Method).ToRpcException();

    /// <param name="method">What failed, for the log.</param>
    public Status StatusOf(Exception error, string method)
    {
        var refused = error switch
        {
            RefusedException known => known,
            LostRaceException lost => new RefusedException(ErrorReason.LostRace, lost.Message),
            IOException { HResult: NoSpace } => new RefusedException(ErrorReason.StoreFull, "there is no room on the server's disk"),
            StoreFullException full => new RefusedException(ErrorReason.StoreFull, full.Message),
            TargetException target => new RefusedException(ErrorReason.Invalid, Causes.Of(target)),
            RolloutExistsException exists => new RefusedException(ErrorReason.AlreadyExists, exists.Message),
            _ when AwsFailures.IsDenial(error) => new RefusedException(ErrorReason.WrongState, $"AWS does not let this server do that: {error.Message}"),
            SupersededException superseded => new RefusedException(ErrorReason.WindowClosed, superseded.Message, ("target", superseded.Target), ("rollout", superseded.Rollout)),
            _ => null,
        };
        if (refused is not null)
        {
            return ToStatus(refused);
        }
        LogBroken(error, method);
        if (AwsFailures.IsOutage(error))
        {
            return new Status { Code = (int)Code.Unavailable, Message = $"a service of AWS can't be asked: {Causes.Of(error)}" };
        }
        return new Status { Code = (int)Code.Internal, Message = "the server failed; its log says why" };
    }

    /// <summary>As transcoding maps them.</summary>
    public static int HttpOf(Status status) => (Code)status.Code switch
    {
        Code.NotFound => 404,
        Code.AlreadyExists or Code.Aborted => 409,
        Code.PermissionDenied => 403,
        Code.ResourceExhausted => 429,
        Code.Internal => 500,
        Code.Unavailable => 503,
        _ => 400,
    };

    private static Status ToStatus(RefusedException failure)
    {
        var info = new ErrorInfo { Domain = Domain, Reason = "ERROR_REASON_" + Screaming(failure.Reason.ToString()) };
        foreach (var (key, value) in failure.Metadata)
        {
            info.Metadata[key] = value;
        }
        var status = new Status { Code = (int)CodeOf(failure.Reason), Message = failure.Message, Details = { Any.Pack(info) } };
        if (failure.Violations.Count > 0)
        {
            var bad = new BadRequest();
            bad.FieldViolations.AddRange(failure.Violations.Select(violation => new BadRequest.Types.FieldViolation
            {
                Field = violation.Path,
                Description = violation.Text + (violation.Hint is null ? "" : $" ({violation.Hint})"),
            }));
            status.Details.Add(Any.Pack(bad));
        }
        if (failure.Reason == ErrorReason.Overloaded)
        {
            status.Details.Add(Any.Pack(new RetryInfo { RetryDelay = Duration.FromTimeSpan(TimeSpan.FromSeconds(1)) }));
        }
        return status;
    }

    private static Code CodeOf(ErrorReason reason) => reason switch
    {
        ErrorReason.Invalid or ErrorReason.ImageRefused or ErrorReason.RequestReused => Code.InvalidArgument,
        ErrorReason.NotFound => Code.NotFound,
        ErrorReason.AlreadyExists => Code.AlreadyExists,
        ErrorReason.LostRace => Code.Aborted,
        ErrorReason.NotApprover => Code.PermissionDenied,
        ErrorReason.StoreFull or ErrorReason.Overloaded => Code.ResourceExhausted,
        _ => Code.FailedPrecondition,
    };

    private static string Screaming(string name) => string.Concat(name.Select((c, i) => i > 0 && char.IsUpper(c) ? "_" + c : char.ToUpperInvariant(c).ToString()));

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} failed")]
    private partial void LogBroken(Exception error, string method);
}
