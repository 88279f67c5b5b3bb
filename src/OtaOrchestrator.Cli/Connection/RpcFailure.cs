using System.Collections.Immutable;
using System.Security.Authentication;
using Google.Rpc;
using Grpc.Core;

namespace OtaOrchestrator.Cli.Connection;

/// <summary>Turns <c>google.rpc.Status</c> and its details into what <c>ota</c> says, in one place.</summary>
internal static class RpcFailure
{
    private const string ReasonPrefix = "ERROR_REASON_";

    public static CliFailure Explain(RpcException failure)
    {
        if (IsRefusedHandshake(failure))
        {
            return new CliFailure(ExitCode.Unreachable, "the server and this client don't trust each other's certificates", "is --home the one of this server? is the operator's certificate still valid?");
        }
        var status = failure.GetRpcStatus();
        var info = status?.GetDetail<ErrorInfo>();
        var reason = info?.Reason is { Length: > 0 } given ? given.Replace(ReasonPrefix, "", StringComparison.Ordinal) : null;
        var violations = status?.GetDetail<BadRequest>()?.FieldViolations.Select(v => new Violation(v.Field, v.Description)).ToImmutableArray() ?? [];
        var message = status?.Message is { Length: > 0 } text ? text : failure.Status.Detail;
        if (reason is null && IsTransport(failure))
        {
            message = "the server can't be reached";
        }
        else if (reason is null && failure.StatusCode is StatusCode.DeadlineExceeded)
        {
            message = "the server did not answer in time";
        }
        return new CliFailure(CodeOf(reason is null && IsTransport(failure) ? StatusCode.Unavailable : failure.StatusCode, reason), message.Length > 0 ? message : failure.StatusCode.ToString(), HintOf(reason, info, status))
        {
            Reason = reason ?? failure.StatusCode.ToString(),
            Violations = violations,
        };
    }

    /// <summary>The request may not have arrived, or its answer was lost; repeating it with the same request id does no harm.</summary>
    public static bool MayRepeat(RpcException failure) =>
        IsUnreachable(failure) || RetryDelay(failure) is not null;

    /// <summary>How long an overloaded server asks to wait.</summary>
    public static TimeSpan? RetryDelay(RpcException failure) =>
        failure.StatusCode is StatusCode.ResourceExhausted ? failure.GetRpcStatus()?.GetDetail<RetryInfo>()?.RetryDelay?.ToTimeSpan() : null;

    /// <summary>No answer came: not there, too slow, or the connection broke on the way.</summary>
    public static bool IsUnreachable(RpcException failure) =>
        failure.StatusCode is StatusCode.DeadlineExceeded || (IsTransport(failure) && !IsRefusedHandshake(failure));

    // A status that the server sent has no exception of this side; one that this side made up for a broken connection has.
    private static bool IsTransport(RpcException failure) =>
        failure.StatusCode is StatusCode.Unavailable
        || (failure.StatusCode is StatusCode.Internal or StatusCode.Unknown or StatusCode.Cancelled && failure.Status.DebugException is IOException or HttpRequestException);

    private static int CodeOf(StatusCode status, string? reason) => reason switch
    {
        "RELEASE_HELD" => ExitCode.ReleaseHeld,
        "NOTHING_TO_UNDO" or "WINDOW_CLOSED" => ExitCode.NothingToUndo,
        "INVALID" or "IMAGE_REFUSED" or "FALLBACK_UNFIT" => ExitCode.Invalid,
        "NOT_FOUND" => ExitCode.Failure,
        "WRONG_STATE" or "TARGET_TAKEN" or "LOST_RACE" or "NOT_APPROVER" or "ALREADY_EXISTS" or "REQUEST_REUSED" => ExitCode.WrongState,
        _ => status switch
        {
            StatusCode.Unavailable or StatusCode.DeadlineExceeded => ExitCode.Unreachable,
            StatusCode.FailedPrecondition or StatusCode.Aborted or StatusCode.PermissionDenied or StatusCode.AlreadyExists => ExitCode.WrongState,
            StatusCode.InvalidArgument => ExitCode.Invalid,
            _ => ExitCode.Failure,
        },
    };

    private static string? HintOf(string? reason, ErrorInfo? info, Google.Rpc.Status? status)
    {
        if (status?.GetDetail<Help>()?.Links is { Count: > 0 } links)
        {
            return links[0].Description;
        }
        if (info is not null && info.Metadata.TryGetValue("hint", out var given))
        {
            return given;
        }
        var rollout = info is not null && info.Metadata.TryGetValue("rollout", out var name) ? ResourceName.Last(name) : null;
        return reason switch
        {
            "TARGET_TAKEN" => rollout is null ? "ota rollout list --active" : $"ota rollout watch {rollout}",
            "RELEASE_HELD" => "when it is understood why: ota release unhold RELEASE --reason TEXT",
            "LOST_RACE" => "somebody else was faster; look again: ota rollout get",
            "NOTHING_TO_UNDO" => "ota rollout list",
            "WINDOW_CLOSED" => "start a rollout with the older release instead",
            "STORE_FULL" => "free disk space; a rollback still goes through",
            _ => null,
        };
    }

    private static bool IsRefusedHandshake(RpcException failure)
    {
        for (var inner = failure.Status.DebugException; inner is not null; inner = inner.InnerException)
        {
            if (inner is AuthenticationException)
            {
                return true;
            }
        }
        return false;
    }
}
