using System.Net;
using System.Xml;
using System.Xml.Linq;
using Amazon.Runtime.Internal.Transform;

namespace Amazon.Runtime.StandIn;

/// <summary>Reads an XML reply into a response, or into the exception that it means. An empty reply has no content.</summary>
internal sealed class XmlReply<TResponse>(
    Action<TResponse, XElement?, Reply> read,
    Func<XElement?, Failure, AmazonServiceException> fail) : XmlResponseUnmarshaller
    where TResponse : AmazonWebServiceResponse, new()
{
    public override AmazonWebServiceResponse Unmarshall(XmlUnmarshallerContext input)
    {
        var response = new TResponse();
        var content = Parse(input);
        read(response, content, new Reply(input.ResponseData, []));
        if (Text(XmlWire.Child(content, "ResponseMetadata"), "RequestId") is { } requestId)
        {
            // The query protocol says it in the body; the core knows it from the header alone.
            response.ResponseMetadata = new ResponseMetadata { RequestId = requestId };
        }

        return response;
    }

    public override AmazonServiceException UnmarshallException(XmlUnmarshallerContext input, Exception innerException, HttpStatusCode statusCode)
    {
        XElement? content;
        try
        {
            content = Parse(input);
        }
        catch (XmlException)
        {
            // A proxy's page of HTML, for example: the status code is all there is to tell.
            content = null;
        }

        // <ErrorResponse><Error><Code/><Message/></Error><RequestId/></ErrorResponse>
        var error = XmlWire.Child(content, "Error");
        var code = Text(error, "Code") ?? "";
        var message = Text(error, "Message") ?? $"The service answered with the status {(int)statusCode}";
        var requestId = Text(content, "RequestId") ?? (input.ResponseData.IsHeaderPresent("x-amzn-RequestId") ? input.ResponseData.GetHeaderValue("x-amzn-RequestId") : null);
        return fail(error, new Failure(code, message, requestId, statusCode, innerException));
    }

    private static string? Text(XElement? element, string name) => XmlWire.Child(element, name)?.Value;

    private static XElement? Parse(XmlUnmarshallerContext input)
    {
        using var buffer = new MemoryStream();
        input.Stream.CopyTo(buffer);
        if (buffer.Length == 0)
        {
            return null;
        }

        buffer.Position = 0;
        using var reader = XmlReader.Create(buffer, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
        return XElement.Load(reader);
    }
}
