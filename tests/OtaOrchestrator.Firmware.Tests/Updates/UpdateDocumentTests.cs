using System.Text.Json;
using System.Text.Json.Nodes;
using OtaOrchestrator.Firmware.Updates;

namespace OtaOrchestrator.Firmware.Tests.Updates;

public sealed class UpdateDocumentTests
{
    private static UpdateDocument Example => Offers.Make().Document;

    private static UpdateDocument? Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return UpdateDocument.Parse(document.RootElement);
    }

    private static void AssertSame(UpdateDocument expected, UpdateDocument? actual)
    {
        Assert.NotNull(actual);
        Assert.Equal(expected.ToJson(), actual.ToJson());
        Assert.Equal(expected.ManifestBytes, actual.ManifestBytes);
        Assert.Equal(expected with { Candidates = [], ManifestBytes = [], ManifestSignature = [], ImageSignature = [] }, actual with { Candidates = [], ManifestBytes = [], ManifestSignature = [], ImageSignature = [] });
    }

    [Fact]
    public void What_was_written_is_read()
    {
        AssertSame(Example, Parse(Example.ToJson()));
        var back = Example with { Operation = UpdateOperation.Return, Candidates = ["sha256:" + new string('b', 64)] };
        AssertSame(back, Parse(back.ToJson()));
        AssertSame(back with { Candidates = [.. back.Candidates, "sha256:" + new string('c', 64)] }, Parse((back with { Candidates = [.. back.Candidates, "sha256:" + new string('c', 64)] }).ToJson()));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("\"sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\"")]
    [InlineData("[\"\"]")]
    [InlineData("[7]")]
    [InlineData("[\"sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\", null]")]
    public void A_return_says_from_which_images(string candidates)
    {
        var json = JsonNode.Parse((Example with { Operation = UpdateOperation.Return, Candidates = ["sha256:" + new string('b', 64)] }).ToJson())!;
        Set(json, "ota/candidates", JsonNode.Parse(candidates));
        Assert.Null(Parse(json.ToJsonString()));
    }

    [Fact]
    public void The_form_is_the_one_that_free_rtos_parses()
    {
        var file = JsonNode.Parse(Example.ToJson())!["afr_ota"]!["files"]![0]!;

        Assert.Equal("HTTP", (string?)JsonNode.Parse(Example.ToJson())!["afr_ota"]!["protocols"]![0]);
        foreach (var member in new[] { "filesize", "fileid", "filepath", "certfile", "sig-sha256-ecdsa", "update_data_url", "auth_scheme" })
        {
            Assert.NotNull(file[member]);
        }
        Assert.Equal(JsonValueKind.Number, file["filesize"]!.GetValueKind());
    }

    [Fact]
    public void Members_that_aws_may_add_are_ignored()
    {
        var json = JsonNode.Parse(Example.ToJson())!;
        json["afr_ota"]!["streamname"] = "AFR_OTA-1";
        json["afr_ota"]!["files"]![0]!["attr"] = 3;
        json["later"] = new JsonObject();
        json["ota"]!["healthCheckSeconds"] = 30;

        AssertSame(Example, Parse(json.ToJsonString()));
    }

    [Theory]
    [InlineData("afr_ota")]
    [InlineData("ota")]
    [InlineData("afr_ota/files")]
    [InlineData("afr_ota/files/0")]
    [InlineData("afr_ota/files/0/filesize")]
    [InlineData("afr_ota/files/0/sig-sha256-ecdsa")]
    [InlineData("afr_ota/files/0/update_data_url")]
    [InlineData("ota/operation")]
    [InlineData("ota/release")]
    [InlineData("ota/rollout")]
    [InlineData("ota/lane")]
    [InlineData("ota/manifest")]
    [InlineData("ota/manifestSignature")]
    public void What_a_device_needs_may_not_be_missing_or_of_another_kind(string path)
    {
        foreach (JsonNode? instead in new JsonNode?[] { null, 7, true, new JsonArray(), new JsonObject() })
        {
            var json = JsonNode.Parse(Example.ToJson())!;
            Set(json, path, instead?.DeepClone());
            if (path == "afr_ota/files/0/filesize" && instead?.GetValueKind() == JsonValueKind.Number)
            {
                continue;
            }
            Assert.True(Parse(json.ToJsonString()) is null, $"{path} = {instead?.ToJsonString() ?? "null"}");
        }
        var without = JsonNode.Parse(Example.ToJson())!;
        Remove(without, path);
        Assert.Null(Parse(without.ToJsonString()));
    }

    [Theory]
    [InlineData("ota/operation", "\"install\"")]
    [InlineData("ota/operation", "\"Update\"")]
    [InlineData("ota/operation", "\"return\"")]
    [InlineData("ota/release", "\"\"")]
    [InlineData("ota/release", "\"a\\u0007b\"")]
    [InlineData("ota/manifest", "\"not base64\"")]
    [InlineData("afr_ota/files/0/filesize", "0")]
    [InlineData("afr_ota/files/0/filesize", "-5")]
    [InlineData("afr_ota/files/0/filesize", "4294967297")]
    [InlineData("afr_ota/files/0/filesize", "\"12\"")]
    [InlineData("afr_ota/files/0/update_data_url", "\"\"")]
    public void Values_out_of_range_are_refused(string path, string value)
    {
        var json = JsonNode.Parse(Example.ToJson())!;
        Set(json, path, JsonNode.Parse(value));
        Assert.Null(Parse(json.ToJsonString()));
    }

    [Fact]
    public void Two_files_are_one_too_many()
    {
        var json = JsonNode.Parse(Example.ToJson())!;
        json["afr_ota"]!["files"]!.AsArray().Add(json["afr_ota"]!["files"]![0]!.DeepClone());
        Assert.Null(Parse(json.ToJsonString()));
    }

    [Fact]
    public void Oversized_parts_are_refused()
    {
        Assert.Null(Parse((Example with { ManifestBytes = new byte[Manifest.BytesMax + 1] }).ToJson()));
        Assert.Null(Parse((Example with { Lane = new string('x', 300) }).ToJson()));
        Assert.Null(Parse((Example with { ImageUrl = "https://x/" + new string('y', 4096) }).ToJson()));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("1")]
    [InlineData("\"x\"")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"afr_ota\":[]}")]
    [InlineData("{\"afr_ota\":{\"files\":[1]},\"ota\":{}}")]
    [InlineData("{\"ota\":\"\",\"afr_ota\":{\"files\":[{}]}}")]
    [InlineData("{\"afr_ota\":{\"files\":{}},\"ota\":[]}")]
    public void Json_of_another_form_is_refused(string json) => Assert.Null(Parse(json));

    private static void Set(JsonNode json, string path, JsonNode? value)
    {
        var steps = path.Split('/');
        var parent = steps[..^1].Aggregate(json, (node, step) => node is JsonArray array ? array[int.Parse(step, null)]! : node[step]!);
        if (parent is JsonArray list)
        {
            list[int.Parse(steps[^1], null)] = value;
        }
        else
        {
            parent[steps[^1]] = value;
        }
    }

    private static void Remove(JsonNode json, string path)
    {
        var steps = path.Split('/');
        var parent = steps[..^1].Aggregate(json, (node, step) => node is JsonArray array ? array[int.Parse(step, null)]! : node[step]!);
        if (parent is JsonArray list)
        {
            list.RemoveAt(int.Parse(steps[^1], null));
        }
        else
        {
            parent.AsObject().Remove(steps[^1]);
        }
    }
}
