using System.Net;
using System.Reflection;
using Amazon.Runtime;
using Amazon.SecurityToken;

namespace OtaOrchestrator.AwsSdk.Tests;

/// <summary>The same calls through the official STS client and through the generated one: what a query service is sent, and what its XML becomes.</summary>
public sealed class SecurityTokenProgramTests
{
    [Fact]
    public async Task Official_client_and_stand_in_send_and_read_the_same()
    {
        var (official, standIn) = (await Run(typeof(AmazonSecurityTokenServiceClient).Assembly), await Run(Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, "StandIn.SecurityToken.dll"))));
        Assert.Equal(official.Results, standIn.Results);
        Assert.Equal(official.Sent, standIn.Sent);
        Assert.Contains("PolicyArns.member.2.arn=arn%3Aaws%3Aiam%3A%3A111122223333%3Apolicy%2Ftwo", standIn.Sent[1], StringComparison.Ordinal);
    }

    private static async Task<(List<string> Sent, List<string> Results)> Run(Assembly assembly)
    {
        const string Space = "Amazon.SecurityToken.";
        var far = new HttpDouble()
            .Answer("""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/a&amp;b</Arn><UserId>U</UserId><Account>111122223333</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></GetCallerIdentityResponse>""")
            .Answer("""<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser><AssumedRoleId>R:s</AssumedRoleId><Arn>arn</Arn></AssumedRoleUser><Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>S</SecretAccessKey><SessionToken>T</SessionToken><Expiration>2026-11-23T10:00:00Z</Expiration></Credentials><PackedPolicySize>6</PackedPolicySize></AssumeRoleResult><ResponseMetadata><RequestId>r-2</RequestId></ResponseMetadata></AssumeRoleResponse>""")
            .Answer("""<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>PackedPolicyTooLarge</Code><Message>too large</Message></Error><RequestId>r-3</RequestId></ErrorResponse>""", HttpStatusCode.BadRequest);
        dynamic config = Make("AmazonSecurityTokenServiceConfig");
        far.Configure((ClientConfig)config).MaxErrorRetry = 0;
        dynamic client = Activator.CreateInstance(assembly.GetType(Space + "AmazonSecurityTokenServiceClient")!, HttpDouble.Credentials, (object)config)!;
        List<string> results = [];
        var identity = await client.GetCallerIdentityAsync((dynamic)Make("Model.GetCallerIdentityRequest"), default(CancellationToken));
        results.Add($"{identity.Arn} {identity.UserId} {identity.Account} {identity.ResponseMetadata?.RequestId}");

        dynamic assume = Make("Model.AssumeRoleRequest");
        (assume.RoleArn, assume.RoleSessionName, assume.DurationSeconds) = ("arn:aws:iam::111122223333:role/ota", "grün & more", 900);
        assume.PolicyArns = List("one", "two");
        var role = await client.AssumeRoleAsync(assume, default(CancellationToken));
        results.Add($"{role.AssumedRoleUser.AssumedRoleId} {role.Credentials.AccessKeyId} {((DateTime)role.Credentials.Expiration).ToUniversalTime():O} {role.PackedPolicySize}");
        try
        {
            await client.AssumeRoleAsync(assume, default(CancellationToken));
        }
        catch (AmazonServiceException refusal)
        {
            results.Add($"{refusal.GetType().FullName} {refusal.Message} {refusal.ErrorCode} {refusal.RequestId} {refusal.StatusCode}");
        }

        Assert.Equal(3, results.Count);
        // The order of a form's fields says nothing.
        return ([.. far.Sent.Select(sent => $"{sent.Method} {sent.Target} {string.Join('&', sent.Body.Split('&').Order(StringComparer.Ordinal))}")], results);

        object Make(string name) => Activator.CreateInstance(assembly.GetType(Space + name, throwOnError: true)!)!;

        dynamic List(params string[] policies)
        {
            dynamic list = Activator.CreateInstance(typeof(List<>).MakeGenericType(assembly.GetType(Space + "Model.PolicyDescriptorType")!))!;
            foreach (var policy in policies)
            {
                dynamic described = Make("Model.PolicyDescriptorType");
                described.Arn = "arn:aws:iam::111122223333:policy/" + policy;
                list.Add(described);
            }

            return list;
        }
    }
}
