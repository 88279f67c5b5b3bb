using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Server.Targets.Router;

/// <summary>The router's administration: what it refuses becomes a <see cref="TargetException"/>, what may pass an <see cref="IOException"/> or the client's own exception.</summary>
internal sealed class RouterClient(HttpClient http, Uri admin, string route)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };
    private readonly Uri _route = new(admin, $"/v1/routes/{Uri.EscapeDataString(route)}");

    public Task PutAsync(RouteBody body, CancellationToken cancellation) => WriteAsync(HttpMethod.Put, _route, body, cancellation);

    public Task RenewAsync(RenewalBody body, CancellationToken cancellation) => WriteAsync(HttpMethod.Post, new Uri(_route.AbsoluteUri + "/lease"), body, cancellation);

    public async Task<RouteState> GetAsync(CancellationToken cancellation) =>
        await FindAsync(cancellation) ?? throw new TargetException($"the router has no route {route}");

    /// <summary>Null when there is no such route yet.</summary>
    public async Task<RouteState?> FindAsync(CancellationToken cancellation)
    {
        using var response = await http.GetAsync(_route, cancellation);
        return response.StatusCode == HttpStatusCode.NotFound ? null : await ReadAsync<RouteState>(response, cancellation);
    }

    public async Task<RouteStatistics> StatisticsAsync(CancellationToken cancellation)
    {
        using var response = await http.GetAsync(new Uri(_route.AbsoluteUri + "/stats"), cancellation);
        return await ReadAsync<RouteStatistics>(response, cancellation);
    }

    private async Task WriteAsync<T>(HttpMethod method, Uri address, T body, CancellationToken cancellation)
    {
        using var content = JsonContent.Create(body, options: Json);
        // With its length: a router need not take a body of unknown size.
        await content.LoadIntoBufferAsync(cancellation);
        using var request = new HttpRequestMessage(method, address) { Content = content, Version = http.DefaultRequestVersion, VersionPolicy = http.DefaultVersionPolicy };
        using var response = await http.SendAsync(request, cancellation);
        await CheckAsync(response, cancellation);
    }

    private static async Task<T> ReadAsync<T>(HttpResponseMessage response, CancellationToken cancellation)
    {
        await CheckAsync(response, cancellation);
        try
        {
            return await response.Content.ReadFromJsonAsync<T>(Json, cancellation) ?? throw new IOException("the router's answer is empty");
        }
        catch (JsonException error)
        {
            throw new IOException("the router's answer is not what was expected", error);
        }
    }

    private static async Task CheckAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        if (response.IsSuccessStatusCode)
        {
            return;
        }
        string said = await SaidAsync(response, cancellation);
        throw response.StatusCode < HttpStatusCode.InternalServerError
            ? new TargetException($"the router refused: {said}")
            : new IOException($"the router failed: {said}");
    }

    private static async Task<string> SaidAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        try
        {
            var problem = await response.Content.ReadFromJsonAsync<RouterProblem>(Json, cancellation);
            string[] said = [.. new[] { problem?.Title, problem?.Detail }.OfType<string>(), .. problem?.Violations ?? []];
            return said.Length > 0 ? string.Join("; ", said) : $"status {(int)response.StatusCode}";
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or NotSupportedException)
        {
            return $"status {(int)response.StatusCode}";
        }
    }
}
