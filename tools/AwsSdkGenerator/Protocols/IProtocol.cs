using OtaOrchestrator.AwsSdkGenerator.Emit;
using OtaOrchestrator.AwsSdkGenerator.Model;

namespace OtaOrchestrator.AwsSdkGenerator.Protocols;

/// <summary>A wire protocol: how an operation's request becomes HTTP and how the reply becomes objects.</summary>
internal interface IProtocol
{
    /// <summary>The namespaces that the code of an operation needs.</summary>
    public IReadOnlyList<string> Usings { get; }

    /// <summary>The runtime's type that reads a reply into <c>{Operation}Response</c>: <c>JsonReply</c>.</summary>
    public string ReplyType { get; }

    /// <summary>The runtime's type that a reply's content has while it is read: <c>JsonElement</c>.</summary>
    public string ContentType { get; }

    /// <summary>Writes the statements that turn <c>request</c> into <c>wire</c>, a new <c>DefaultRequest</c>.</summary>
    public void EmitRequest(CodeWriter code, Operation operation);

    /// <summary>Writes the statements that fill <c>response</c> from <c>content</c> and <c>reply</c>.</summary>
    public void EmitResponse(CodeWriter code, Operation operation);

    /// <summary>Writes the statements that set <c>exception</c>'s own members from <c>content</c>.</summary>
    public void EmitException(CodeWriter code, Shape exception);

    /// <summary>The class that writes and reads the structures below requests and responses; file name and text.</summary>
    public (string File, string Text) EmitStructures();
}
