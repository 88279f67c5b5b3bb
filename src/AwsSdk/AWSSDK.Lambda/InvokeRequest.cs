using System.Text;

namespace Amazon.Lambda.Model;

/// <summary>What the official package offers beside the model's members: the payload as text.</summary>
public partial class InvokeRequest
{
    /// <summary>UTF-8 text of <see cref="PayloadStream"/>; null when that is null.</summary>
    public string? Payload
    {
        get => PayloadStream is { } stream ? Encoding.UTF8.GetString(stream.ToArray()) : null;
        set => PayloadStream = value is null ? null : new MemoryStream(Encoding.UTF8.GetBytes(value));
    }
}
