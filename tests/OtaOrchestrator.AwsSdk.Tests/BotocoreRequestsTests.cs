using System.Diagnostics;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Xml.Linq;
using Amazon.Runtime;
using OtaOrchestrator.AwsSdkGenerator;

namespace OtaOrchestrator.AwsSdk.Tests;

/// <summary>Every operation of every stand-in, with every member set, against the request that botocore makes of the same parameters.</summary>
public sealed class BotocoreRequestsTests
{
    public static TheoryData<string> Services => [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, "tools", "AwsSdkGenerator", "Services"), "*.json").Select(Path.GetFileNameWithoutExtension).OfType<string>().Except(["kms", "sts"])];

    [Theory]
    [MemberData(nameof(Services))]
    public async Task What_is_sent_is_what_botocore_sends(string service)
    {
        var definition = JsonNode.Parse(await File.ReadAllTextAsync(Repository.Definition(service), TestContext.Current.CancellationToken))!;
        var assembly = Assembly.Load("AWSSDK." + (string)definition["name"]!);
        using var far = new HttpDouble();
        var config = (ClientConfig)Activator.CreateInstance(assembly.GetTypes().Single(type => type.IsPublic && typeof(ClientConfig).IsAssignableFrom(type)))!;
        config.MaxErrorRetry = 0;
        using var client = (AmazonServiceClient)Activator.CreateInstance(assembly.GetTypes().Single(type => type.IsPublic && typeof(AmazonServiceClient).IsAssignableFrom(type)), HttpDouble.Credentials, far.Configure(config))!;
        var methods = client.GetType().GetMethods().Where(method => method.Name.EndsWith("Async", StringComparison.Ordinal)).ToDictionary(method => method.Name[..^"Async".Length]);
        var model = ((string)definition["model"]!).Split('/')[0];
        var cases = await BotocoreAsync(new JsonObject { [model] = new JsonArray([.. methods.Keys.Where(name => !IsNewer(definition, name)).Select(name => (JsonNode)name)]) });

        Assert.NotEmpty(cases);
        foreach (var expected in cases)
        {
            var operation = (string)expected!["operation"]!;
            far.Answer("");
            var request = JsonSerializer.Deserialize(Renamed(expected["parameters"]!, operation, definition).ToJsonString(), methods[operation].GetParameters()[0].ParameterType, Options);
            await (Task)methods[operation].Invoke(client, [request, TestContext.Current.CancellationToken])!;
            Compare(operation, expected, far.Sent[^1]);
        }
    }

    private static bool IsNewer(JsonNode definition, string operation) => definition["overlay"]?["operations"]?[operation] is not null;

    private static void Compare(string operation, JsonNode expected, Sent sent)
    {
        Assert.Equal((operation, (string)expected["method"]!), (operation, sent.Method));
        Assert.Equal((operation, Uri.UnescapeDataString((string)expected["path"]!)), (operation, Uri.UnescapeDataString(sent.Address.AbsolutePath)));
        var query = expected["query"]!.AsObject().SelectMany(pair => pair.Value!.AsArray().Select(one => $"{pair.Key}={Text(one)}")).Order(StringComparer.Ordinal);
        Assert.Equal(query, sent.Address.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries).Select(Uri.UnescapeDataString).Order(StringComparer.Ordinal));
        foreach (var (name, value) in expected["headers"]!.AsObject().Where(header => header.Key != "Content-Type"))
        {
            Assert.Equal((operation, name, Text(value)), (operation, name, sent.Headers.GetValueOrDefault(name)), CaseOfBooleans);
        }

        if (expected["body"] is JsonObject form)
        {
            Assert.Equal(form.Select(pair => $"{pair.Key}={Text(pair.Value)}").Order(StringComparer.Ordinal), sent.Body.Split('&').Select(Uri.UnescapeDataString).Select(WithoutZeros).Order(StringComparer.Ordinal));
            return;
        }

        var body = (string)expected["body"]!;
        Assert.True(
            body.StartsWith('<') ? XNode.DeepEquals(XElement.Parse(body), XElement.Parse(sent.Body))
            : body.StartsWith('{') ? JsonNode.DeepEquals(JsonNode.Parse(body), JsonNode.Parse(sent.Body))
            : body == sent.Body,
            $"{operation}\n{body}\n{sent.Body}");
    }

    /// <summary>Both are ISO 8601; botocore writes no milliseconds where there are none.</summary>
    private static string WithoutZeros(string text) => text.Replace(".000Z", "Z", StringComparison.Ordinal);

    /// <summary>Python writes True into a header.</summary>
    private static bool CaseOfBooleans((string, string, string? Value) expected, (string, string, string? Value) sent) =>
        expected.Value is "True" or "False" ? string.Equals(expected.Value, sent.Value, StringComparison.OrdinalIgnoreCase) : expected == sent;

    private static string Text(JsonNode? value) => value is JsonValue text && text.TryGetValue(out string? found) ? found : value?.ToJsonString() ?? "";

    /// <summary>The parameters of a request as its class names them.</summary>
    private static JsonNode Renamed(JsonNode parameters, string operation, JsonNode definition)
    {
        var names = definition["renames"]?.AsObject().Where(pair => pair.Key.Contains('.', StringComparison.Ordinal)).ToDictionary(pair => pair.Key.Split('.')[1], pair => (string)pair.Value!) ?? [];
        return operation == "Invoke" ? new JsonObject(parameters.AsObject().Select(pair => KeyValuePair.Create(names.GetValueOrDefault(pair.Key, pair.Key), pair.Value?.DeepClone()))) : parameters;
    }

    /// <summary>Debian's Python, which has the models that the stand-ins were made from.</summary>
    private static async Task<JsonArray> BotocoreAsync(JsonNode wanted)
    {
        using var python = Process.Start(new ProcessStartInfo("/usr/bin/python3", [Path.Combine(Repository.Root, "tests", "OtaOrchestrator.AwsSdk.Tests", "botocore_requests.py")])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var (output, errors) = (python.StandardOutput.ReadToEndAsync(), python.StandardError.ReadToEndAsync());
        await python.StandardInput.WriteAsync(wanted.ToJsonString());
        python.StandardInput.Close();
        await python.WaitForExitAsync();
        Assert.True(python.ExitCode == 0, await errors);
        return JsonNode.Parse(await output)!.AsArray();
    }

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        Converters = { new Constants(), new Blobs() },
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    private sealed class Constants : JsonConverterFactory
    {
        public override bool CanConvert(Type typeToConvert) => typeof(ConstantClass).IsAssignableFrom(typeToConvert);

        public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) => (JsonConverter)Activator.CreateInstance(typeof(Constant<>).MakeGenericType(typeToConvert))!;

        private sealed class Constant<T> : JsonConverter<T>
            where T : ConstantClass
        {
            public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => (T)Activator.CreateInstance(typeof(T), reader.GetString())!;

            public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);
        }
    }

    private sealed class Blobs : JsonConverter<MemoryStream>
    {
        public override MemoryStream Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetBytesFromBase64());

        public override void Write(Utf8JsonWriter writer, MemoryStream value, JsonSerializerOptions options) => writer.WriteBase64StringValue(value.ToArray());
    }
}
