using OtaOrchestrator.Router.Routes;

namespace OtaOrchestrator.Router.Tests;

public sealed class DestinationTests
{
    [Fact]
    public async Task Whoever_entered_is_inside_until_he_leaves_however_closing_races_with_entering()
    {
        for (int round = 0; round < 300; round++)
        {
            var connections = new Connections();
            var destination = new Destination("api@1", "https://127.0.0.1:1", new HttpMessageInvoker(connections));
            int inside = 0;
            var visitors = Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
            {
                int visits = 0;
                while (destination.TryEnter())
                {
                    Interlocked.Increment(ref inside);
                    Assert.False(connections.Disposed, "closed while somebody was inside");
                    Interlocked.Decrement(ref inside);
                    destination.Leave();
                    visits++;
                }
                return visits;
            })).ToArray();
            destination.Close();
            await Task.WhenAll(visitors);
            Assert.Equal(0, inside);
            Assert.Equal(DestinationState.Removed, destination.State);
            Assert.Equal(1, connections.Disposals);
            Assert.False(destination.TryEnter());
        }
    }

    [Fact]
    public void Closing_twice_ends_its_connections_once()
    {
        var connections = new Connections();
        var destination = new Destination("api@1", "https://127.0.0.1:1", new HttpMessageInvoker(connections));
        Assert.True(destination.TryEnter());
        destination.Close();
        destination.Close();
        Assert.Equal(DestinationState.Draining, destination.State);
        Assert.Equal(1, destination.ConcurrentRequests);
        Assert.Equal(0, connections.Disposals);
        destination.Leave();
        destination.Close();
        Assert.Equal(DestinationState.Removed, destination.State);
        Assert.Equal(1, connections.Disposals);
    }

    private sealed class Connections : HttpMessageHandler
    {
        private int _disposals;

        public int Disposals => Volatile.Read(ref _disposals);
        public bool Disposed => Disposals > 0;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            Interlocked.Increment(ref _disposals);
            base.Dispose(disposing);
        }
    }
}
