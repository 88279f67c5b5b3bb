using OtaOrchestrator.AwsSdkGenerator.Emit;
using OtaOrchestrator.AwsSdkGenerator.Model;

namespace OtaOrchestrator.AwsSdkGenerator.Protocols;

/// <summary>A wire protocol: how an operation's request becomes HTTP and how the reply becomes objects.</summary>
internal interface IProtocol
{
    /// <summary>The namespaces that the code of an operation needs.</summary>
    IReadOnlyList<string> Usings { get; }

    /// <summary>The runtime's type that reads a reply into <c>{Operation}Response</c>: <c>JsonReply</c>, <c>XmlReply</c>.</summary>
    string ReplyType { get; }

    /// <summary>The runtime's type that a reply's content has while it is read: <c>JsonElement</c>, <c>XElement</c>.</summary>
    string ContentType { get; }

    /// <summary>The reply's body is a member as it is, and not to be read.</summary>
    bool IsRaw(Operation operation);

    /// <summary>Writes the statements that turn <c>request</c> into <c>wire</c>, a new <c>DefaultRequest</c>.</summary>
    void EmitRequest(CodeWriter code, Operation operation);

    /// <summary>Writes the statements that fill <c>response</c> from <c>content</c> and <c>reply</c>.</summary>
    void EmitResponse(CodeWriter code, Operation operation);

    /// <summary>Writes the statements that set <c>exception</c>'s own members from <c>content</c>.</summary>
    void EmitException(CodeWriter code, Shape exception);

    /// <summary>The class that writes and reads the structures below requests and responses; file name and text.</summary>
    (string File, string Text) EmitStructures();
}
