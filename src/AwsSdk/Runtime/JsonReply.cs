using System.Net;
using System.Text.Json;
using Amazon.Runtime.Internal.Transform;

namespace Amazon.Runtime.StandIn;

/// <summary>A refused or failed call, before it is an exception.</summary>
internal sealed record Failure(string Code, string? Message, string? RequestId, HttpStatusCode StatusCode, Exception? Inner)
{
    public ErrorType Type => (int)StatusCode >= 500 ? ErrorType.Receiver : ErrorType.Sender;
}

/// <summary>Reads a JSON reply into a response, or into the exception that it means.</summary>
internal sealed class JsonReply<TResponse>(
    Action<TResponse, JsonElement, Reply> read,
    Func<JsonElement, Failure, AmazonServiceException> fail,
    bool raw = false) : JsonResponseUnmarshaller
    where TResponse : AmazonWebServiceResponse, new()
{
    public override AmazonWebServiceResponse Unmarshall(JsonUnmarshallerContext input)
    {
        var response = new TResponse();
        var body = Body(input);
        using var content = raw ? null : Parse(body);
        read(response, content?.RootElement ?? default, new Reply(input.ResponseData, body));
        return response;
    }

    public override AmazonServiceException UnmarshallException(JsonUnmarshallerContext input, Exception innerException, HttpStatusCode statusCode)
    {
        JsonDocument? content;
        try
        {
            content = Parse(Body(input));
        }
        catch (JsonException)
        {
            // A proxy's page of HTML, for example: the status code is all there is to tell.
            content = null;
        }

        using (content)
        {
            var body = content?.RootElement ?? default;
            var code = Header(input, "x-amzn-ErrorType") ?? Member(body, "__type") ?? Member(body, "code") ?? "";
            var message = Member(body, "message") ?? Member(body, "Message") ?? Header(input, "x-amzn-error-message")
                ?? $"The service answered with the status {(int)statusCode}";
            return fail(body, new Failure(Plain(code), message, Header(input, "x-amzn-RequestId"), statusCode, innerException));
        }
    }

    /// <summary>"com.amazonaws.iot#LimitExceededException:http://…" is the code "LimitExceededException".</summary>
    private static string Plain(string code)
    {
        var end = code.IndexOf(':', StringComparison.Ordinal);
        var bare = end < 0 ? code : code[..end];
        return bare[(bare.LastIndexOf('#') + 1)..].Trim();
    }

    private static JsonDocument? Parse(byte[] body) => body.Length == 0 ? null : JsonDocument.Parse(body);

    private static byte[] Body(JsonUnmarshallerContext input)
    {
        using var buffer = new MemoryStream();
        input.Stream.CopyTo(buffer);
        return buffer.ToArray();
    }

    private static string? Header(JsonUnmarshallerContext input, string name) =>
        input.ResponseData.IsHeaderPresent(name) ? input.ResponseData.GetHeaderValue(name) : null;

    private static string? Member(JsonElement body, string name) =>
        body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
