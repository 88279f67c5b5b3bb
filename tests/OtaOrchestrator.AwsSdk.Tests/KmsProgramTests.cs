using System.Net;
using System.Reflection;
using System.Text;
using System.Text.Json.Nodes;
using Amazon.KeyManagementService;
using Amazon.Runtime;

namespace OtaOrchestrator.AwsSdk.Tests;

/// <summary>The same calls through the official KMS client and through the generated one: the same bytes out, the same objects back.</summary>
public sealed class KmsProgramTests
{
    private static readonly Assembly StandIn = Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, "StandIn.KeyManagementService.dll"));
    private static readonly Assembly Official = typeof(AmazonKeyManagementServiceClient).Assembly;

    [Fact]
    public async Task Official_client_and_stand_in_send_and_read_the_same()
    {
        var (official, standIn) = (await Run(Official), await Run(StandIn));

        Assert.Equal(official.Results, standIn.Results);
        Assert.Equal(official.Sent.Count, standIn.Sent.Count);
        foreach (var (expected, actual) in official.Sent.Zip(standIn.Sent))
        {
            Assert.Equal((expected.Method, expected.Target), (actual.Method, actual.Target));
            Assert.Equal(expected.Headers["X-Amz-Target"], actual.Headers["X-Amz-Target"]);
            Assert.Equal(expected.Headers["Content-Type"], actual.Headers["Content-Type"]);
            Assert.Equal(Scope(expected), Scope(actual));
            Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected.Body), JsonNode.Parse(actual.Body)), $"{expected.Body}\n{actual.Body}");
        }

        static string Scope(Sent sent) => sent.Headers["Authorization"].Split("Credential=")[1].Split(',')[0];
    }

    private static async Task<(List<Sent> Sent, List<string> Results)> Run(Assembly assembly)
    {
        // Half a second, for the official client loses a tick of most other fractions.
        var far = new HttpDouble()
            .Answer("""{"KeyMetadata":{"KeyId":"k","CreationDate":1732345678.5,"Enabled":true,"KeySpec":"ECC_NIST_P256","SigningAlgorithms":["ECDSA_SHA_256"]}}""")
            .Answer($$"""{"KeyId":"k","Signature":"{{Convert.ToBase64String([1, 2, 3])}}","SigningAlgorithm":"ECDSA_SHA_256"}""")
            .Answer("""{"CiphertextBlob":"AQI="}""")
            .Answer("""{"Aliases":[{"AliasName":"alias/a","LastUpdatedDate":1.5E9}],"Truncated":false}""")
            .Answer("""{"__type":"NotFoundException","message":"no such key"}""", HttpStatusCode.BadRequest, ("x-amzn-RequestId", "r-9"))
            .Answer("""{"__type":"com.amazon.coral.service#Strange","Message":"odd"}""", HttpStatusCode.BadRequest);
        const string Space = "Amazon.KeyManagementService.";
        dynamic config = Make("AmazonKeyManagementServiceConfig");
        far.Configure((ClientConfig)config).MaxErrorRetry = 0;
        dynamic client = Activator.CreateInstance(assembly.GetType(Space + "AmazonKeyManagementServiceClient")!, HttpDouble.Credentials, (object)config)!;
        var results = new List<string>();

        dynamic create = Make("Model.CreateKeyRequest");
        create.Description = "grün";
        create.MultiRegion = false;
        create.KeySpec = Value("KeySpec", "ECC_NIST_P256");
        dynamic tag = Make("Model.Tag");
        tag.TagKey = "a";
        tag.TagValue = "b";
        create.Tags = List(tag);
        results.Add(Describe(await client.CreateKeyAsync(create, default(CancellationToken))));

        dynamic sign = Make("Model.SignRequest");
        sign.KeyId = "k";
        sign.Message = new MemoryStream(Encoding.UTF8.GetBytes("message"));
        sign.SigningAlgorithm = Value("SigningAlgorithmSpec", "ECDSA_SHA_256");
        results.Add(Describe(await client.SignAsync(sign, default(CancellationToken))));

        dynamic encrypt = Make("Model.EncryptRequest");
        encrypt.KeyId = "k";
        encrypt.Plaintext = new MemoryStream([0, 255]);
        encrypt.EncryptionContext = new Dictionary<string, string> { ["one"] = "1", ["two"] = "2" };
        encrypt.GrantTokens = new List<string>();
        results.Add(Describe(await client.EncryptAsync(encrypt, default(CancellationToken))));

        dynamic list = Make("Model.ListAliasesRequest");
        list.Limit = 3;
        results.Add(Describe(await client.ListAliasesAsync(list, default(CancellationToken))));

        for (var i = 0; i < 2; i++)
        {
            dynamic describe = Make("Model.DescribeKeyRequest");
            describe.KeyId = "absent";
            try
            {
                await client.DescribeKeyAsync(describe, default(CancellationToken));
            }
            catch (AmazonServiceException refusal)
            {
                results.Add($"{refusal.GetType().FullName} {refusal.Message} {refusal.ErrorCode} {refusal.RequestId} {refusal.StatusCode}");
            }
        }

        Assert.Equal(6, results.Count);
        return (far.Sent, results);

        object Make(string name) => Activator.CreateInstance(assembly.GetType(Space + name, throwOnError: true)!)!;
        dynamic Value(string type, string value) => Activator.CreateInstance(assembly.GetType(Space + type, throwOnError: true)!, value)!;
    }

    private static dynamic List(dynamic item)
    {
        dynamic list = Activator.CreateInstance(typeof(List<>).MakeGenericType(((object)item).GetType()))!;
        list.Add(item);
        return list;
    }

    /// <summary>An object's public properties that are set, depth first.</summary>
    private static string Describe(object? value) => value switch
    {
        null => "null",
        string or bool or int or long or double or ConstantClass => value.ToString()!,
        DateTime time => $"{time:O}",
        MemoryStream bytes => Convert.ToHexString(bytes.ToArray()),
        System.Collections.IEnumerable items => $"[{string.Join(", ", items.Cast<object>().Select(Describe))}]",
        _ => "{" + string.Join(", ", value.GetType().GetProperties()
            .Where(p => p.Name is not ("ResponseMetadata" or "ContentLength" or "HttpStatusCode"))
            .Select(p => (p.Name, Value: p.GetValue(value)))
            .Where(p => p.Value is not null)
            .OrderBy(p => p.Name, StringComparer.Ordinal)
            .Select(p => $"{p.Name}={Describe(p.Value)}")) + "}",
    };
}
