using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Protocol.V1;
using OtaOrchestrator.Server.Errors;
using OtaOrchestrator.Server.Rollouts;
using OtaOrchestrator.Server.Store;

namespace OtaOrchestrator.Server.Api;

/// <summary>Who calls, and what a call is identified by.</summary>
internal static class Caller
{
    /// <summary>The name in the client's certificate. The listener lets nobody in without one.</summary>
    public static Actor Actor(this ServerCallContext context) => context.GetHttpContext().Actor();

    public static Actor Actor(this HttpContext context)
    {
        var certificate = context.Connection.ClientCertificate ?? throw new InvalidOperationException("a caller without a certificate came through");
        return new Actor(certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false));
    }

    /// <summary>Null when the request carries no id.</summary>
    public static RequestKey? Key(this ServerCallContext context, string requestId, IMessage request) => Key(context.Actor(), requestId, request);

    /// <inheritdoc cref="Key(ServerCallContext, string, IMessage)"/>
    public static RequestKey? Key(Actor actor, string requestId, IMessage request)
    {
        if (requestId.Length == 0)
        {
            return null;
        }
        if (requestId.Length > 128 || requestId.Any(char.IsControl))
        {
            throw RefusedException.Invalid("requestId", "is longer than 128 characters or not plain text");
        }
        var name = System.Text.Encoding.UTF8.GetBytes(request.Descriptor.FullName);
        return new RequestKey(actor.Name, requestId, SHA256.HashData([.. name, .. request.ToByteArray()]));
    }

    /// <summary>The answer that the same request got before; null when it is new. The same id with another body is refused.</summary>
    public static T? Before<T>(this RequestKey? key, Database database, MessageParser<T> parser) where T : class, IMessage<T>
    {
        if (key is null || database.Read(db => Journal.Request(db, key.Actor, key.Id)) is not { } answered)
        {
            return null;
        }
        return answered.BodySha256.AsSpan().SequenceEqual(key.BodySha256)
            ? parser.ParseFrom(answered.Response)
            : throw new RefusedException(ErrorReason.RequestReused, "this request id came before with another body");
    }
}
