using System.Text;
using System.Text.Json;

namespace OtaOrchestrator.DevicePlane.Jobs;

/// <summary>A job's document, cut at its firmware placeholders so that a link for one device is a concatenation.</summary>
internal sealed class JobDocument
{
    public const int MaxChars = 32_768;
    private const string Opening = "${aws:iot:s3-presigned-url:";

    private readonly (string Text, string? Key)[] _parts;

    public JobDocument(string text)
    {
        var parts = new List<(string, string?)>();
        var at = 0;
        while (text.IndexOf(Opening, at, StringComparison.Ordinal) is var open and >= 0 && text.IndexOf('}', open) is var close and >= 0)
        {
            parts.Add((text[at..open], FirmwareKey(text[(open + Opening.Length)..close])));
            at = close + 1;
        }

        parts.Add((text[at..], null));
        _parts = [.. parts];
    }

    /// <summary>Checks the text as CreateJob takes it.</summary>
    public static void Validate(string text)
    {
        if (text.Length > MaxChars)
        {
            throw RefusedException.Invalid($"document may have {MaxChars} characters at most");
        }

        try
        {
            using var json = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 64 });
            if (json.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw RefusedException.Invalid("document must be a JSON object");
            }
        }
        catch (JsonException e)
        {
            throw RefusedException.Invalid($"document isn't valid JSON: line {e.LineNumber}, position {e.BytePositionInLine}");
        }

        for (var at = 0; text.IndexOf(Opening, at, StringComparison.Ordinal) is var open and >= 0;)
        {
            var close = text.IndexOf('}', open);
            if (close < 0 || FirmwareKey(text[(open + Opening.Length)..close]) is null)
            {
                throw RefusedException.Invalid("a presigned-url placeholder must name https://s3….amazonaws.com/<bucket>/<64 hex digits>");
            }

            at = close;
        }
    }

    /// <summary>The document for one device, as a JSON object in UTF-8.</summary>
    public byte[] Resolve(Func<string, string> link)
    {
        var text = new StringBuilder();
        foreach (var (part, key) in _parts)
        {
            text.Append(part);
            if (key is not null)
            {
                text.Append(JsonEncodedText.Encode(link(key), System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping));
            }
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static string? FirmwareKey(string address)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttps
            || !uri.Host.StartsWith("s3", StringComparison.Ordinal) || !uri.Host.EndsWith(".amazonaws.com", StringComparison.Ordinal))
        {
            return null;
        }

        var segments = uri.AbsolutePath.Split('/');
        return segments.Length == 3 && segments[1].Length > 0 && Registry.Names.IsDigest(segments[2]) ? segments[2] : null;
    }
}
