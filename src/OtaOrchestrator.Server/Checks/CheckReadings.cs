using System.Security.Authentication;
using Grpc.Core;
using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Server.Reconciling;

namespace OtaOrchestrator.Server.Checks;

/// <summary>Asks everybody whom the checks of a lane's step name, side by side, each within its own time. Whatever goes wrong is a reading that says so.</summary>
public sealed class CheckReadings
{
    private const int TextMax = 200;
    private readonly Dictionary<string, ICheckSource> _sources;

    /// <param name="http">Shows the orchestrator's certificate, trusts the system's authorities and the installation's; may be shared.</param>
    public CheckReadings(HttpMessageHandler http)
    {
        var client = new HttpClient(http, disposeHandler: false) { MaxResponseContentBufferSize = 64 * 1024, Timeout = Timeout.InfiniteTimeSpan };
        _sources = new Dictionary<string, ICheckSource>(StringComparer.Ordinal)
        {
            [CheckSources.Http] = new HttpProbe(client),
            [CheckSources.Grpc] = new GrpcProbe(http),
            [CheckSources.Prometheus] = new PrometheusQuery(client),
            [CheckSources.Webhook] = new Webhook(client),
        };
    }

    public async Task<IReadOnlyDictionary<string, CheckReading>> ReadAsync(Rollout rollout, Lane lane, StepPlan step, CancellationToken cancellation)
    {
        var asked = Judge.ChecksOf(lane.Plan, step).Where(check => CheckSources.Asked.Contains(check.Source)).ToList();
        var readings = await Task.WhenAll(asked.Select(check => OneAsync(new CheckQuestion(rollout, lane, check), cancellation)));
        return asked.Zip(readings).ToDictionary(pair => pair.First.Name, pair => pair.Second, StringComparer.Ordinal);
    }

    private async Task<CheckReading> OneAsync(CheckQuestion question, CancellationToken cancellation)
    {
        var timeout = question.Check.Timeout ?? TimeSpan.FromSeconds(5);
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limited.CancelAfter(timeout);
        try
        {
            var reading = await _sources[question.Check.Source].ReadAsync(question, limited.Token);
            return reading with { Text = Shown(reading.Text) };
        }
        catch (Exception error) when (!cancellation.IsCancellationRequested)
        {
            // A probe that can't reach what it probes has found it ill; anybody else who does not answer has said nothing.
            bool probes = question.Check.Source is CheckSources.Http or CheckSources.Grpc;
            var said = limited.IsCancellationRequested ? $"no answer within {timeout.TotalSeconds:0.###} s" : Causes.Of(Transport(error) ?? error);
            return new CheckReading(probes ? Answer.Failed : Answer.Nothing, Shown(said));
        }
    }

    private static Exception? Transport(Exception error) => error switch
    {
        RpcException { Status.DebugException: { } inner } => inner,
        HttpRequestException { InnerException: AuthenticationException inner } => inner,
        _ => null,
    };

    /// <summary>Of what others say, a line that can be shown.</summary>
    private static string Shown(string text)
    {
        var line = new string([.. text.Where(c => !char.IsControl(c)).Take(TextMax)]);
        return line.Length == 0 ? "no text" : line;
    }
}
