using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.IoT;

/// <summary>The way back by hand for devices with FreeRTOS's OTA agent.</summary>
public static class OtaUpdateUndo
{
    private static readonly JsonSerializerOptions Unescaped = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What the ids of updates begin with, by what their jobs' names begin with.</summary>
    public static string UpdateOf(string jobs) => jobs[OtaUpdates.JobPrefix.Length..];

    /// <param name="jobs">What the lane's jobs begin with, AWS's own prefix too.</param>
    /// <param name="quoted">Makes a text one word of a shell.</param>
    public static string Command(string jobs, string fleet, string bucket, string role, OtaImage image, Func<string, string> quoted)
    {
        var file = new JsonObject
        {
            ["fileName"] = OtaUpdates.FileName,
            ["fileVersion"] = image.Version,
            ["fileLocation"] = new JsonObject { ["s3Location"] = new JsonObject { ["bucket"] = bucket, ["key"] = image.Sha256 } },
            ["codeSigning"] = new JsonObject
            {
                ["customCodeSigning"] = new JsonObject
                {
                    ["signature"] = new JsonObject { ["inlineDocument"] = image.Signature },
                    ["certificateChain"] = new JsonObject { ["certificateName"] = OtaUpdates.KeyName },
                    ["hashAlgorithm"] = OtaUpdates.Hash,
                    ["signatureAlgorithm"] = OtaUpdates.Algorithm,
                },
            },
        };
        return $"aws iot create-ota-update --ota-update-id {UpdateOf(jobs)}undo --target-selection SNAPSHOT --protocols HTTP"
            + $" --targets \"$(aws iot describe-thing-group --thing-group-name {quoted(fleet)} --query thingGroupArn --output text)\" --role-arn {quoted(role)} --files {quoted(new JsonArray(file).ToJsonString(Unescaped))}";
    }
}
