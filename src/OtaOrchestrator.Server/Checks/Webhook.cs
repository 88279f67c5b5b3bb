using System.Net.Http.Json;
using System.Text.Json;
using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Rollouts;

namespace OtaOrchestrator.Server.Checks;

/// <summary>Asks a program of the user's: it is told what is under way and answers one of the four verdicts.</summary>
internal sealed class Webhook(HttpClient http) : ICheckSource
{
    public async Task<CheckReading> ReadAsync(CheckQuestion question, CancellationToken cancellation)
    {
        var (rollout, lane) = (question.Rollout, question.Lane);
        var body = new
        {
            environment = rollout.Environment, rollout = rollout.Id, lane = lane.Name, target = lane.Target, check = question.Check.Name, state = Words.Of(lane.State),
            step = lane.Step + 1, share = lane.Share, candidate = lane.Candidate.ToString(), fallback = lane.Fallback.ToString(),
        };
        using var content = JsonContent.Create(body);
        await content.LoadIntoBufferAsync(cancellation);
        using var response = await http.PostAsync(new Uri(question.Check.Url!), content, cancellation);
        if (!response.IsSuccessStatusCode)
        {
            return new CheckReading(Answer.Nothing, $"the webhook answers {(int)response.StatusCode}");
        }
        try
        {
            using var json = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellation));
            var text = json.RootElement.TryGetProperty("text", out var said) && said.ValueKind == JsonValueKind.String ? said.GetString()! : "";
            return json.RootElement.GetProperty("verdict").GetString() switch
            {
                "healthy" => new CheckReading(Answer.Passed, text.Length > 0 ? text : "healthy"),
                "unhealthy" => new CheckReading(Answer.Failed, text.Length > 0 ? text : "unhealthy"),
                "inconclusive" => new CheckReading(Answer.Undecided, text.Length > 0 ? text : "the webhook can't tell yet"),
                "noData" => new CheckReading(Answer.Nothing, text.Length > 0 ? text : "the webhook has no data"),
                _ => new CheckReading(Answer.Nothing, "the webhook's verdict is none of healthy, unhealthy, inconclusive, noData"),
            };
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return new CheckReading(Answer.Nothing, "the webhook's answer is not {\"verdict\": ...}");
        }
    }
}
