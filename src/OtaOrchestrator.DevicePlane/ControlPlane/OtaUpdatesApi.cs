using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using OtaOrchestrator.DevicePlane.Jobs;
using OtaOrchestrator.DevicePlane.Registry;
using OtaOrchestrator.DevicePlane.Storage;

namespace OtaOrchestrator.DevicePlane.ControlPlane;

/// <summary>
/// Updates for FreeRTOS's OTA agent: a job whose document says where the image is and how it is signed, fetched over HTTPS. There are no file streams over MQTT here, and nothing is
/// signed here; who asks for either is refused.
/// </summary>
internal sealed class OtaUpdatesApi(PlaneState state, Arn arns, JobsApi jobs, DevicePlaneOptions options)
{
    private const string JobPrefix = "AFR_OTA-";
    private const string Placeholder = "${aws:iot:s3-presigned-url:https://s3.amazonaws.com/ota-firmware/";
    private const string Complete = "CREATE_COMPLETE";
    private const int SignatureBytesMax = 1024;

    /// <summary>What an update says of its job, and a job's own name for it.</summary>
    private static readonly (string Update, string Job)[] Limits =
        [("awsJobPresignedUrlConfig", "presignedUrlConfig"), ("awsJobTimeoutConfig", "timeoutConfig"), ("awsJobExecutionsRolloutConfig", "jobExecutionsRolloutConfig")];

    public void Create(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var id = request.Path("otaUpdateId");
        var job = Names.Job(JobPrefix + id);
        request.RequiredText("roleArn");
        if (!request.Texts("protocols", 2).Contains("HTTP"))
        {
            throw RefusedException.Invalid("protocols must have HTTP: there are no streams over MQTT here");
        }

        var body = new JsonObject { ["targets"] = Copy(request, "targets"), ["targetSelection"] = Copy(request, "targetSelection"), ["description"] = Copy(request, "description"), ["document"] = Document(request) };
        foreach (var (update, own) in Limits)
        {
            body[own] = Copy(request, update);
        }

        if (request.Object("awsJobAbortConfig") is { } abort)
        {
            body["abortConfig"] = new JsonObject { ["criteriaList"] = ControlPlaneRequest.Member(abort, "abortCriteriaList", JsonValueKind.Array) is { } list ? JsonNode.Parse(list.GetRawText()) : null };
        }

        using var asked = JsonDocument.Parse(body.ToJsonString());
        PlaneJson.Object(answer => jobs.CreateJob(tx, new ControlPlaneRequest(new Dictionary<string, string> { ["jobId"] = job }, QueryCollection.Empty, asked.RootElement), answer));
        WriteIds(w, id, job);
        w.WriteString("otaUpdateStatus", Complete);
    }

    public void Get(ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var id = request.Path("otaUpdateId");
        var job = Find(request);
        using var document = JsonDocument.Parse(job.Record.Document);
        var file = document.RootElement.GetProperty("afr_ota").GetProperty("files")[0];
        w.WriteStartObject("otaUpdateInfo");
        WriteIds(w, id, job.Id);
        w.WriteString("otaUpdateStatus", Complete);
        w.WriteString("targetSelection", job.Record.Selection.ToString());
        w.WriteStartArray("otaUpdateFiles");
        w.WriteStartObject();
        w.WriteString("fileName", file.GetProperty("filepath").GetString());
        w.WriteStartObject("fileLocation");
        w.WriteStartObject("s3Location");
        w.WriteString("key", file.GetProperty("update_data_url").GetString()![Placeholder.Length..^1]);
        w.WriteEndObject();
        w.WriteEndObject();
        w.WriteEndObject();
        w.WriteEndArray();
        w.WriteEndObject();
    }

    /// <summary>All that were asked for are complete: they are made at once here.</summary>
    public void List(ControlPlaneRequest request, Utf8JsonWriter w) => JobsApi.Page(
        request, w, "otaUpdates",
        request.Query("otaUpdateStatus") is null or Complete ? state.Jobs.Keys.Where(job => job.StartsWith(JobPrefix, StringComparison.Ordinal)).Select(job => job[JobPrefix.Length..]) : [],
        id => id,
        id =>
        {
            w.WriteStartObject();
            w.WriteString("otaUpdateId", id);
            w.WriteString("otaUpdateArn", arns.OtaUpdate(id));
            w.WriteEndObject();
        });

    public void Delete(PlaneTransaction tx, ControlPlaneRequest request, Utf8JsonWriter w)
    {
        var job = Find(request);
        if (!request.QueryFlag("forceDeleteAWSJob") && (job.IsActive || job.Open > 0))
        {
            throw RefusedException.Invalid("the update's job is in progress; cancel it first, or set forceDeleteAWSJob");
        }

        jobs.DeleteJob(tx, job);
    }

    private Job Find(ControlPlaneRequest request) => state.Jobs.TryGetValue(JobPrefix + request.Path("otaUpdateId"), out var job) ? job
        : throw RefusedException.NotFound($"there is no OTA update '{request.Path("otaUpdateId")}'");

    private void WriteIds(Utf8JsonWriter w, string id, string job)
    {
        w.WriteString("otaUpdateId", id);
        w.WriteString("otaUpdateArn", arns.OtaUpdate(id));
        w.WriteString("awsIotJobId", job);
        w.WriteString("awsIotJobArn", arns.Job(job));
    }

    /// <summary>The document as the agent reads it: one file, with the signature that was given.</summary>
    private string Document(ControlPlaneRequest request)
    {
        var files = ControlPlaneRequest.Member(request.Body, "files", JsonValueKind.Array);
        if (files is not { } given || given.GetArrayLength() != 1 || given[0] is not { ValueKind: JsonValueKind.Object } file)
        {
            throw RefusedException.Invalid("files must have exactly one file here");
        }

        var key = Within(file, "fileLocation", "s3Location") is { } place ? ControlPlaneRequest.Text(place, "key") : null;
        if (key is null || !Names.IsDigest(key))
        {
            throw RefusedException.Invalid("fileLocation.s3Location.key must be 64 hex digits, the image's SHA-256");
        }

        var image = new FileInfo(Path.Combine(options.FirmwareRoot, key));
        if (!image.Exists)
        {
            throw RefusedException.NotFound($"there is no image {key}");
        }

        var signing = Within(file, "codeSigning", "customCodeSigning") ?? throw RefusedException.Invalid("codeSigning.customCodeSigning is missing: nothing is signed here, and nothing goes out unsigned");
        var (hash, algorithm) = (ControlPlaneRequest.Text(signing, "hashAlgorithm", 64), ControlPlaneRequest.Text(signing, "signatureAlgorithm", 64));
        var signature = Within(signing, "signature") is { } inline ? ControlPlaneRequest.Text(inline, "inlineDocument", SignatureBytesMax) : null;
        if (string.IsNullOrEmpty(hash) || string.IsNullOrEmpty(algorithm) || string.IsNullOrEmpty(signature) || !Convert.TryFromBase64String(signature, new byte[SignatureBytesMax], out int bytes) || bytes == 0)
        {
            throw RefusedException.Invalid("customCodeSigning must have a hashAlgorithm, a signatureAlgorithm and a signature as its inlineDocument");
        }

        return new JsonObject
        {
            ["afr_ota"] = new JsonObject
            {
                ["protocols"] = new JsonArray("HTTP"),
                ["files"] = new JsonArray(new JsonObject
                {
                    ["filepath"] = ControlPlaneRequest.Text(file, "fileName") ?? key,
                    ["filesize"] = image.Length,
                    ["fileid"] = 0,
                    ["certfile"] = Within(signing, "certificateChain") is { } chain ? ControlPlaneRequest.Text(chain, "certificateName") ?? "" : "",
                    ["fileType"] = ControlPlaneRequest.Integer(file, "fileType", 0, 255) ?? 0,
                    [$"sig-{hash}-{algorithm}".ToLowerInvariant()] = signature,
                    ["update_data_url"] = Placeholder + key + "}",
                    ["auth_scheme"] = "aws.s3.presigned",
                }),
            },
        }.ToJsonString(new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    private static JsonElement? Within(JsonElement element, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (ControlPlaneRequest.Member(element, name, JsonValueKind.Object) is not { } inner)
            {
                return null;
            }

            element = inner;
        }

        return element;
    }

    private static JsonNode? Copy(ControlPlaneRequest request, string name) =>
        request.Body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? JsonNode.Parse(value.GetRawText()) : null;
}
