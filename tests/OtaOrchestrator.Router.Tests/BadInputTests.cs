using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using OtaOrchestrator.Router.Admin;
using OtaOrchestrator.Router.Tests.Parts;

namespace OtaOrchestrator.Router.Tests;

public sealed class BadInputTests : World
{
    private const string Good = """{"fence":{"epoch":9,"revision":9},"baseline":{"release":"a@1","addresses":["https://127.0.0.1:1"]}}""";

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await Router.SetAsync(TestRouter.Body(3, 17, Old, New, 0.25));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("""{"fence":{"epoch":9},"baseline":{"release":"a@1","addresses":["https://127.0.0.1:1"]}}""")]
    [InlineData("""{"fence":{"epoch":9,"revision":9},"baseline":null}""")]
    [InlineData("""{"fence":{"epoch":9,"revision":9},"baseline":{"release":"a@1"}}""")]
    [InlineData("""{"fence":{"epoch":9,"revision":9},"baseline":{"release":"a@1","addresses":[null]}}""")]
    [InlineData("""{"fence":{"epoch":9,"revision":9},"fence":{"epoch":9,"revision":9},"baseline":{"release":"a@1","addresses":["https://127.0.0.1:1"]}}""")]
    [InlineData("""{"fence":{"epoch":"9","revision":9},"baseline":{"release":"a@1","addresses":["https://127.0.0.1:1"]}}""")]
    [InlineData("""{"fence":{"epoch":99999999999999999999,"revision":9},"baseline":{"release":"a@1","addresses":["https://127.0.0.1:1"]}}""")]
    [InlineData("""{"fence":{"epoch":9,"revision":9},"surprise":1,"baseline":{"release":"a@1","addresses":["https://127.0.0.1:1"]}}""")]
    [InlineData("""{"fence":{"epoch":9,"revision":9},"candidateWeight":NaN,"baseline":{"release":"a@1","addresses":["https://127.0.0.1:1"]}}""")]
    [InlineData("""{"fence":{"epoch":9,"revision":9},"lease":{"seconds":5,"onLoss":"explode"},"baseline":{"release":"a@1","addresses":["https://127.0.0.1:1"]}}""")]
    public Task A_malformed_body_is_refused(string body) => RefusedAsync(body, HttpStatusCode.BadRequest);

    [Theory]
    [InlineData("fence", """{"epoch":-1,"revision":9}""")]
    [InlineData("candidateWeight", "1.01")]
    [InlineData("candidateWeight", "-0.1")]
    [InlineData("candidateWeight", "0.5")]
    [InlineData("lease", """{"seconds":0,"onLoss":"hold"}""")]
    [InlineData("previewToken", "\"short\"")]
    [InlineData("previewToken", "\"with blanks and a\\r\\nheader: x\"")]
    [InlineData("baseline", """{"release":"a@1","addresses":[]}""")]
    [InlineData("baseline", """{"release":"../../etc@1","addresses":["https://127.0.0.1:1"]}""")]
    [InlineData("baseline", """{"release":"🦊@1","addresses":["https://127.0.0.1:1"]}""")]
    [InlineData("baseline", """{"release":"a@1","addresses":["http://127.0.0.1:1"]}""")]
    [InlineData("baseline", """{"release":"a@1","addresses":["file:///etc/passwd"]}""")]
    [InlineData("baseline", """{"release":"a@1","addresses":["https://user:pw@127.0.0.1:1"]}""")]
    [InlineData("baseline", """{"release":"a@1","addresses":["https://127.0.0.1:1/path?x"]}""")]
    [InlineData("baseline", """{"release":"a@1","addresses":["https://127.0.0.1:1","https://127.0.0.1:1/"]}""")]
    [InlineData("candidate", """{"release":"a@1","addresses":["https://127.0.0.1:2"]}""")]
    [InlineData("candidate", """{"release":"a@2","addresses":["https://127.0.0.1:1"]}""")]
    public async Task A_route_that_makes_no_sense_is_refused_with_the_field(string field, string value)
    {
        var body = JsonNode.Parse(Good)!;
        body[field] = JsonNode.Parse(value);
        var problem = await RefusedAsync(body.ToJsonString(), HttpStatusCode.BadRequest);
        Assert.Contains(problem["violations"]!.AsArray(), violation => ((string)violation!).StartsWith(field, StringComparison.Ordinal));
    }

    [Fact]
    public async Task All_violations_are_told_at_once()
    {
        var problem = await RefusedAsync("""{"fence":{"epoch":-1,"revision":9},"baseline":{"release":"x","addresses":["ftp://a"]},"candidateWeight":7}""", HttpStatusCode.BadRequest);
        Assert.Equal(4, problem["violations"]!.AsArray().Count);
    }

    [Fact]
    public Task A_huge_body_is_refused() => RefusedAsync(Good.Replace("\"a@1\"", '"' + new string('a', AdminApi.BodyBytesMax) + '"', StringComparison.Ordinal), HttpStatusCode.RequestEntityTooLarge);

    [Fact]
    public Task A_deep_body_is_refused() => RefusedAsync("{\"lease\":" + new string('[', 500) + new string(']', 500) + "}", HttpStatusCode.BadRequest);

    [Fact]
    public Task Too_many_addresses_are_refused()
    {
        var body = JsonNode.Parse(Good)!;
        body["baseline"]!["addresses"] = new JsonArray([.. Enumerable.Range(1, 33).Select(port => JsonValue.Create($"https://127.0.0.1:{port}"))]);
        return RefusedAsync(body.ToJsonString(), HttpStatusCode.BadRequest);
    }

    [Fact]
    public Task A_body_that_is_not_json_is_refused() => RefusedAsync(Good, HttpStatusCode.UnsupportedMediaType, "text/plain");

    [Theory]
    [InlineData("%2e%2e%2fstate")]
    [InlineData("..%2f..%2fetc%2fpasswd")]
    [InlineData("%F0%9F%A6%8A")]
    [InlineData("API")]
    [InlineData("a%0ab")]
    [InlineData("-a")]
    [InlineData("a.b")]
    public async Task A_name_that_is_none_is_refused(string name)
    {
        using var put = await SendAsync("/v1/routes/" + name, Good);
        Assert.Contains(put.StatusCode, new[] { HttpStatusCode.BadRequest, HttpStatusCode.NotFound });
        using var get = await Router.Admin.GetAsync("/v1/routes/" + name);
        Assert.Contains(get.StatusCode, new[] { HttpStatusCode.BadRequest, HttpStatusCode.NotFound });
        await UnchangedAsync();
    }

    [Fact]
    public async Task A_very_long_name_is_refused()
    {
        using var put = await SendAsync("/v1/routes/" + new string('a', 6_000), Good);
        Assert.Equal(HttpStatusCode.BadRequest, put.StatusCode);
        await UnchangedAsync();
    }

    [Fact]
    public async Task A_second_route_for_the_same_requests_is_refused()
    {
        using var put = await SendAsync("/v1/routes/other", Good);
        Assert.Equal(HttpStatusCode.Conflict, put.StatusCode);
        Assert.Equal("match", (string?)(await put.Content.ReadFromJsonAsync<JsonNode>())!["error"]);
        await UnchangedAsync();
    }

    [Fact]
    public async Task An_unknown_route_is_404_with_a_problem()
    {
        using var get = await Router.Admin.GetAsync("/v1/routes/nowhere/stats");
        Assert.Equal(HttpStatusCode.NotFound, get.StatusCode);
        Assert.Equal("unknown-route", (string?)(await get.Content.ReadFromJsonAsync<JsonNode>())!["error"]);
    }

    private async Task<JsonNode> RefusedAsync(string body, HttpStatusCode status, string type = "application/json")
    {
        using var response = await SendAsync("/v1/routes/api", body, type);
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == status, $"{(int)response.StatusCode}: {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        Assert.DoesNotContain("Exception", text, StringComparison.Ordinal);
        await UnchangedAsync();
        return JsonNode.Parse(text)!;
    }

    private async Task<HttpResponseMessage> SendAsync(string path, string body, string type = "application/json")
    {
        using var content = new StringContent(body, Encoding.UTF8, type);
        return await Router.Admin.PutAsync(path, content);
    }

    private async Task UnchangedAsync()
    {
        var route = await Router.RouteAsync();
        Assert.Equal(17, (long)route["fence"]!["revision"]!);
        Assert.Equal(0.25, (double)route["effective"]!["candidate"]!);
    }
}
