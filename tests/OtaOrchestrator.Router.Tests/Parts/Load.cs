using System.Net;

namespace OtaOrchestrator.Router.Tests.Parts;

/// <summary>Clients that ask without a pause, half of them over HTTP/1.1, each request sent once; the first that fails is the test's failure.</summary>
internal sealed class Load : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly HttpClient _http1;
    private readonly HttpClient _http2;
    private readonly List<Task> _clients;
    private int _answered;

    public Load(Pki pki, string url, int clients)
    {
        (_http1, _http2) = (pki.Client(null, HttpVersion.Version11), pki.Client(null));
        _clients = [.. Enumerable.Range(0, clients).Select(number => Task.Run(async () =>
        {
            while (!_stop.IsCancellationRequested)
            {
                using var response = await (number % 2 == 0 ? _http1 : _http2).GetAsync(url + "/version");
                response.EnsureSuccessStatusCode();
                await response.Content.ReadAsStringAsync();
                Interlocked.Increment(ref _answered);
            }
        }))];
    }

    public int Answered => Volatile.Read(ref _answered);

    /// <summary>Returns when so many more requests were answered, or one failed.</summary>
    public async Task MoreAsync(int requests)
    {
        int before = Answered;
        await TestRouter.UntilAsync(() => Task.FromResult(Answered >= before + requests || _clients.Exists(client => client.IsFaulted)), $"{requests} more requests");
        await Task.WhenAll(_clients.Where(client => client.IsFaulted));
    }

    public async Task EndAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_clients);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_clients).ContinueWith(_ => { }, TaskScheduler.Default);
        _http1.Dispose();
        _http2.Dispose();
        _stop.Dispose();
    }
}
