using Amazon.Runtime;

namespace OtaOrchestrator.Aws.Tests.Doubles;

/// <summary>The process died here.</summary>
internal sealed class CrashException(string at) : Exception(at);

/// <summary>Lets a client of AWS die at one of its calls: before it was sent, or after it was answered and before anybody heard.</summary>
internal sealed class Crashing : HttpClientFactory
{
    private int _calls;

    /// <summary>The call to die at, counted from 1; 0 for none.</summary>
    public int At { get; set; }

    public bool AfterActing { get; set; }

    public int Calls => Volatile.Read(ref _calls);

    /// <summary>Acts, and when the process died at it, acts once more in another one.</summary>
    public static async Task ResumedAsync(Action restart, Func<Task> act)
    {
        try
        {
            await act();
        }
        catch (Exception error) when (Died(error))
        {
            restart();
            await act();
        }
    }

    public override HttpClient CreateHttpClient(IClientConfig clientConfig) => new(new Handler(this) { InnerHandler = new SocketsHttpHandler() }) { Timeout = Timeout.InfiniteTimeSpan };

    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

    public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => true;

    public override string? GetConfigUniqueString(IClientConfig clientConfig) => null;

    /// <summary>The configuration of a client that asks the doubles, and dies where it is told to.</summary>
    /// <param name="crashing">Null for one that lives, and repeats what fails as the product's do.</param>
    public static T ConfigOf<T>(AwsDoubles aws, Crashing? crashing)
        where T : ClientConfig, new()
    {
        // A client that dies must not come back by itself.
        var config = aws.Config<T>(crashing is null ? 4 : 0);
        config.HttpClientFactory = crashing ?? config.HttpClientFactory;
        return config;
    }

    private static bool Died(Exception? error) => error is not null && (error is CrashException || Died(error.InnerException));

    private sealed class Handler(Crashing crashing) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var dies = Interlocked.Increment(ref crashing._calls) == crashing.At;
            if (dies && !crashing.AfterActing)
            {
                throw new CrashException($"before call {crashing.At}");
            }

            var response = await base.SendAsync(request, cancellationToken);
            if (dies)
            {
                response.Dispose();
                throw new CrashException($"after call {crashing.At}");
            }

            return response;
        }
    }
}
