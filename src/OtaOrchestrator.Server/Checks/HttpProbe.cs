using OtaOrchestrator.Core.Analysis;

namespace OtaOrchestrator.Server.Checks;

/// <summary>GET; 2xx passes.</summary>
internal sealed class HttpProbe(HttpClient http) : ICheckSource
{
    public async Task<CheckReading> ReadAsync(CheckQuestion question, Uri address, CancellationToken cancellation)
    {
        using var response = await http.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, cancellation);
        return response.IsSuccessStatusCode ? new CheckReading(Answer.Passed, "answers") : new CheckReading(Answer.Failed, $"{address.Authority} answers {(int)response.StatusCode}");
    }
}
