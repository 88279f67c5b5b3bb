using System.Text.Json.Nodes;
using System.Threading.Channels;
using OtaOrchestrator.Agent.Mqtt;

namespace OtaOrchestrator.Agent.Jobs;

/// <summary>
/// The device's side of AWS IoT Jobs. Notifications are hints only: they wake the device, which then asks. So repeated, late and disordered ones do no harm.
/// </summary>
public sealed class JobsClient
{
    private readonly DeviceConnection _connection;
    private readonly string _thing;
    private readonly string _prefix;
    private readonly Channel<bool> _changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public JobsClient(DeviceConnection connection, string thing)
    {
        (_connection, _thing, _prefix) = (connection, thing, $"$aws/things/{thing}/jobs/");
        connection.Notified = (topic, _) =>
        {
            if (topic == _prefix + "notify-next" || topic == _prefix + "notify")
            {
                _changes.Writer.TryWrite(true);
            }
        };
    }

    public IEnumerable<string> Filters => [_prefix + "notify-next", _prefix + "notify", _prefix + "start-next/+", _prefix + "+/get/+", _prefix + "+/update/+"];

    /// <summary>Comes back when the list of pending jobs may have changed.</summary>
    public async Task ChangedAsync(CancellationToken cancellation) => await _changes.Reader.ReadAsync(cancellation);

    /// <summary>The job that would be next, without starting it.</summary>
    public async Task<JobExecution?> PeekAsync(CancellationToken cancellation) => JobExecution.From(Expect(await AskAsync("$next/get", [], cancellation)).Json, _thing);

    /// <summary>Starts the next job, or gives the one that is in progress again.</summary>
    public async Task<JobExecution?> StartNextAsync(CancellationToken cancellation) => JobExecution.From(Expect(await AskAsync("start-next", [], cancellation)).Json, _thing);

    /// <summary>The job with fresh links; null when there is no such job any more.</summary>
    public async Task<JobExecution?> DescribeAsync(string jobId, CancellationToken cancellation)
    {
        var reply = await AskAsync(jobId + "/get", [], cancellation);
        return !reply.Accepted && reply.Code is "ResourceNotFound" or "TerminalStateReached" ? null : JobExecution.From(Expect(reply).Json, _thing);
    }

    /// <summary>Sets a status. False when the service has ended this execution already; that is then final.</summary>
    public async Task<bool> UpdateAsync(string jobId, long executionNumber, string status, JsonObject details, CancellationToken cancellation)
    {
        var reply = await AskAsync(jobId + "/update", new JsonObject { ["status"] = status, ["statusDetails"] = details, ["executionNumber"] = executionNumber }, cancellation);
        return reply.Accepted || (reply.Code is "InvalidStateTransition" or "TerminalStateReached" or "ResourceNotFound" ? false : throw Refused(reply));
    }

    private Task<Reply> AskAsync(string operation, JsonObject body, CancellationToken cancellation) => _connection.RequestAsync(_prefix + operation, body, cancellation);

    private static Reply Expect(Reply reply) => reply.Accepted ? reply : throw Refused(reply);

    private static ConnectionException Refused(Reply reply) => new($"Jobs refused a request: {reply.Code} {reply.Message}");
}
