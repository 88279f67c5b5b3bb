using System.Security.Authentication;
using Grpc.Core;
using OtaOrchestrator.Aws.Clients;
using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Server.Reconciling;

namespace OtaOrchestrator.Server.Checks;

/// <summary>
/// Asks everybody whom the checks of a lane's step name, side by side, each at an interval of his own and within his own time. Whatever goes wrong is a reading that
/// says so. A look does not wait for who is slow: he is heard at a later one, and keeps the judge from nothing that others show meanwhile. Nothing is stored; after
/// a restart everybody is asked anew.
/// </summary>
public sealed class CheckReadings : IDisposable
{
    private const int TextMax = 200;

    /// <summary>Less than a look may take.</summary>
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan ForgottenAfter = TimeSpan.FromHours(1);
    private readonly Dictionary<string, ICheckSource> _sources;
    private readonly Dictionary<(string Environment, string Rollout, string Lane, string Check), Line> _lines = [];
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly CancellationToken _ended;
    private readonly TimeProvider _time;

    /// <param name="http">Shows the orchestrator's certificate, trusts the system's authorities and the installation's; may be shared.</param>
    public CheckReadings(HttpMessageHandler http, AwsClients aws, TimeProvider time)
    {
        var client = new HttpClient(http, disposeHandler: false) { MaxResponseContentBufferSize = 64 * 1024, Timeout = Timeout.InfiniteTimeSpan };
        _time = time;
        _ended = _ending.Token;
        _sources = new Dictionary<string, ICheckSource>(StringComparer.Ordinal)
        {
            [CheckSources.Http] = new HttpProbe(client),
            [CheckSources.Grpc] = new GrpcProbe(http),
            [CheckSources.Prometheus] = new PrometheusQuery(client),
            [CheckSources.Webhook] = new Webhook(client),
            [CheckSources.CloudWatch] = new CloudWatchCheck(aws, time),
        };
    }

    /// <summary>The step has checks that ask somebody.</summary>
    public static bool Asks(Lane lane, StepPlan step) => AskedBy(lane, step).Any();

    /// <summary>The readings that came in since it was last called, by the checks' names. Each is handed out once.</summary>
    public async Task<IReadOnlyDictionary<string, CheckReading>> ReadAsync(Rollout rollout, Lane lane, StepPlan step, CancellationToken cancellation)
    {
        List<(string Check, Line Line)> open = [.. AskedBy(lane, step).Select(check => (check.Name, Ask(new CheckQuestion(rollout, lane, check))))];
        var readings = new Dictionary<string, CheckReading>(StringComparer.Ordinal);
        if (open.Count == 0)
        {
            return readings;
        }
        try
        {
            var half = lane.Interval / 2;
            await Task.WhenAll(open.Select(one => one.Line.Reading)).WaitAsync(half < WaitMax ? half : WaitMax, _time, cancellation);
        }
        catch (TimeoutException)
        {
            // Whoever is late is heard at a later look.
        }
        lock (_gate)
        {
            foreach (var (check, line) in open.Where(one => !one.Line.Taken && one.Line.Reading.IsCompletedSuccessfully))
            {
                line.Taken = true;
                readings[check] = line.Reading.Result;
            }
        }
        return readings;
    }

    public void Dispose()
    {
        _ending.Cancel();
        _ending.Dispose();
    }

    private static IEnumerable<CheckPlan> AskedBy(Lane lane, StepPlan step) => Judge.ChecksOf(lane.Plan, step).Where(check => check.Asks());

    /// <summary>The question that is open, or a new one when it is time for it. What was asked in another step is not an answer to this one.</summary>
    private Line Ask(CheckQuestion question)
    {
        var (rollout, lane, check) = question;
        var key = (rollout.Environment, rollout.Id, lane.Name, check.Name);
        var round = (lane.Step, lane.Attempt);
        // Looks come a little sooner or later than they should.
        var pause = (check.Interval ?? lane.Interval) - (lane.Interval / 2);
        lock (_gate)
        {
            if (_lines.TryGetValue(key, out var line) && line.Round == round && (!line.Taken || _time.GetElapsedTime(line.BeganAt) < pause))
            {
                return line;
            }
            foreach (var (old, _) in _lines.Where(found => found.Value.Reading.IsCompleted && _time.GetElapsedTime(found.Value.BeganAt) > ForgottenAfter).ToList())
            {
                _lines.Remove(old);
            }
            return _lines[key] = new Line(round, _time.GetTimestamp(), Task.Run(() => EverybodyAsync(question)));
        }
    }

    /// <summary>All addresses must pass; one that failed says more than one that said nothing.</summary>
    private async Task<CheckReading> EverybodyAsync(CheckQuestion question)
    {
        var (addresses, problem) = question.Addresses();
        if (problem is not null)
        {
            return new CheckReading(Answer.Nothing, problem);
        }
        var timeout = question.Check.Timeout ?? TimeSpan.FromSeconds(5);
        using var deadline = new CancellationTokenSource(timeout, _time);
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(_ended, deadline.Token);
        var readings = await Task.WhenAll(addresses.Select(address => OneAsync(question, address, timeout, limited.Token)));
        var worst = readings.MaxBy(reading => reading.Answer switch { Answer.Failed => 3, Answer.Nothing => 2, Answer.Undecided => 1, _ => 0 })!;
        int alike = readings.Count(reading => reading.Answer == worst.Answer);
        return worst with { Text = Shown(worst.Text) + (readings.Length > 1 ? $", {alike} of {readings.Length} addresses" : "") };
    }

    private async Task<CheckReading> OneAsync(CheckQuestion question, Uri address, TimeSpan timeout, CancellationToken cancellation)
    {
        try
        {
            return await _sources[question.Check.Source].ReadAsync(question, address, cancellation);
        }
        catch (Exception error)
        {
            // A probe that can't reach what it probes has found it ill; anybody else who does not answer has said nothing.
            bool probes = question.Check.Source is CheckSources.Http or CheckSources.Grpc;
            var said = cancellation.IsCancellationRequested ? $"no answer within {timeout.TotalSeconds:0.###} s" : Causes.Of(Transport(error) ?? error);
            return new CheckReading(probes ? Answer.Failed : Answer.Nothing, said);
        }
    }

    private static Exception? Transport(Exception error) => error switch
    {
        RpcException { Status.DebugException: { } inner } => inner,
        HttpRequestException { InnerException: AuthenticationException inner } => inner,
        _ => null,
    };

    /// <summary>Of what others say, a line that can be shown.</summary>
    private static string Shown(string text) => Names.Printable(text, TextMax) is { Length: > 0 } line ? line : "no text";

    /// <summary>One reading, under way or waiting to be taken.</summary>
    private sealed record Line((int Step, int Attempt) Round, long BeganAt, Task<CheckReading> Reading)
    {
        public bool Taken { get; set; }
    }
}
