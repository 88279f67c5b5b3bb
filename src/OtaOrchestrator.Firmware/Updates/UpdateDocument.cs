using System.Text.Json;

namespace OtaOrchestrator.Firmware.Updates;

/// <summary>Forward to a release, or back from one.</summary>
public enum UpdateOperation { Update, Return }

/// <summary>
/// The job document: AWS's <c>afr_ota</c> member for where the image is and its signature, ours for what it means. At most 32,768 characters.
/// </summary>
/// <param name="Candidates">Return only: <c>sha256:</c> and the digests of the images of which the device must be running one to act.</param>
/// <param name="ManifestBytes">The exact signed bytes.</param>
/// <param name="ManifestSignature">DER, by the release key over their SHA-256.</param>
/// <param name="ImageSignature">DER, by the release key over the SHA-256 of the exact image: <c>sig-sha256-ecdsa</c>.</param>
/// <param name="ImageUrl">On the wire a placeholder that is resolved each time a device fetches the document.</param>
public sealed record UpdateDocument(
    UpdateOperation Operation, string Rollout, string Lane, string Release, IReadOnlyList<string> Candidates, byte[] ManifestBytes, byte[] ManifestSignature, byte[] ImageSignature, string ImageUrl, long FileSize)
{
    public const int CharactersMax = 32_768;
    public const int CandidatesMax = 16;
    private const int NameCharactersMax = 256;
    private const int DigestCharacters = 71;
    public const string SignatureMember = "sig-sha256-ecdsa";

    /// <summary>The link that the service resolves for each device: <c>${aws:iot:s3-presigned-url:…}</c>.</summary>
    /// <param name="bucket">The bucket's address; what the device plane takes for its own store when left out.</param>
    public static string Placeholder(string sha256, string bucket = "https://s3.amazonaws.com/ota-firmware") => $"${{aws:iot:s3-presigned-url:{bucket}/{sha256}}}";

    public string ToJson()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteStartObject("afr_ota");
            json.WriteStartArray("protocols");
            json.WriteStringValue("HTTP");
            json.WriteEndArray();
            json.WriteStartArray("files");
            json.WriteStartObject();
            json.WriteString("filepath", "firmware.img");
            json.WriteNumber("filesize", FileSize);
            json.WriteNumber("fileid", 0);
            json.WriteString("certfile", "release-key");
            json.WriteNumber("fileType", 0);
            json.WriteString(SignatureMember, Convert.ToBase64String(ImageSignature));
            json.WriteString("update_data_url", ImageUrl);
            json.WriteString("auth_scheme", "aws.s3.presigned");
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteStartObject("ota");
            json.WriteString("operation", Operation == UpdateOperation.Return ? "return" : "update");
            json.WriteString("rollout", Rollout);
            json.WriteString("lane", Lane);
            json.WriteString("release", Release);
            if (Candidates.Count > 0)
            {
                json.WriteStartArray("candidates");
                foreach (var candidate in Candidates)
                {
                    json.WriteStringValue(candidate);
                }
                json.WriteEndArray();
            }
            json.WriteString("manifest", Convert.ToBase64String(ManifestBytes));
            json.WriteString("manifestSignature", Convert.ToBase64String(ManifestSignature));
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }

    /// <summary>Reads a document as a device receives it. Null when anything that it needs is missing or out of range; members that AWS may add are ignored.</summary>
    public static UpdateDocument? Parse(JsonElement root)
    {
        try
        {
            var file = root.GetProperty("afr_ota").GetProperty("files").EnumerateArray().Single();
            var ota = root.GetProperty("ota");
            UpdateOperation? operation = ota.GetProperty("operation").GetString() switch { "update" => UpdateOperation.Update, "return" => UpdateOperation.Return, _ => null };
            if (operation is not { } known)
            {
                return null;
            }
            string[] candidates = ota.TryGetProperty("candidates", out var named) ? [.. named.EnumerateArray().Select(one => one.GetString() ?? "")] : [];
            long size = file.GetProperty("filesize").GetInt64();
            var manifest = ota.GetProperty("manifest").GetBytesFromBase64();
            var url = file.GetProperty("update_data_url").GetString() ?? "";
            if (size is <= 0 or > Manifest.SizeMax || manifest.Length > Manifest.BytesMax || url.Length is 0 or > 4096 || candidates.Length > CandidatesMax
                || candidates.Any(candidate => candidate.Length != DigestCharacters) || (known == UpdateOperation.Return && candidates.Length == 0))
            {
                return null;
            }
            return new UpdateDocument(
                known,
                Name(ota, "rollout"),
                Name(ota, "lane"),
                Name(ota, "release"),
                candidates,
                manifest,
                ota.GetProperty("manifestSignature").GetBytesFromBase64(),
                file.GetProperty(SignatureMember).GetBytesFromBase64(),
                url,
                size);
        }
        catch (Exception error) when (error is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private static string Name(JsonElement ota, string member) =>
        ota.GetProperty(member).GetString() is { Length: > 0 and <= NameCharactersMax } name && !name.Any(char.IsControl)
            ? name
            : throw new FormatException($"{member} is empty, too long or not a name");
}
