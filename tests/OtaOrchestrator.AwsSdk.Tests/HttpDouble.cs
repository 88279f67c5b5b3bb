using System.Net;
using System.Text;
using Amazon.Runtime;

namespace OtaOrchestrator.AwsSdk.Tests;

/// <summary>A request as it left the pipeline.</summary>
internal sealed record Sent(string Method, Uri Address, IReadOnlyDictionary<string, string> Headers, string Body)
{
    /// <summary>Path and query as they are on the wire, still encoded.</summary>
    public string Target => Address.PathAndQuery;
}

/// <summary>The far end of an AWS client: records what is sent and answers what it is told to.</summary>
internal sealed class HttpDouble : HttpMessageHandler
{
    private readonly Queue<Func<HttpResponseMessage>> _answers = new();
    private Func<HttpResponseMessage> _last = () => new HttpResponseMessage(HttpStatusCode.OK);

    public List<Sent> Sent { get; } = [];

    public HttpDouble Answer(string json, HttpStatusCode status = HttpStatusCode.OK, params (string Name, string Value)[] headers)
    {
        _answers.Enqueue(() =>
        {
            var response = new HttpResponseMessage(status) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
            foreach (var (name, value) in headers)
            {
                response.Headers.Add(name, value);
            }

            return response;
        });
        return this;
    }

    /// <summary>Points a client's configuration at this double.</summary>
    public T Configure<T>(T config)
        where T : ClientConfig
    {
        config.ServiceURL = "https://double.invalid";
        config.AuthenticationRegion = "eu-west-1";
        config.HttpClientFactory = new Factory(this);
        return config;
    }

    public static BasicAWSCredentials Credentials { get; } = new("AKIDEXAMPLE", "secret");

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var headers = request.Headers.Concat(request.Content?.Headers ?? Enumerable.Empty<KeyValuePair<string, IEnumerable<string>>>())
            .ToDictionary(h => h.Key, h => string.Join(",", h.Value), StringComparer.OrdinalIgnoreCase);
        var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        Sent.Add(new Sent(request.Method.Method, request.RequestUri!, headers, body));
        _last = _answers.TryDequeue(out var answer) ? answer : _last;
        return _last();
    }

    internal sealed class Factory(HttpMessageHandler handler) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => new(handler, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

        public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => true;

        public override string? GetConfigUniqueString(IClientConfig clientConfig) => null;
    }
}
