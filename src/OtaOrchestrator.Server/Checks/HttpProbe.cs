using OtaOrchestrator.Core.Analysis;

namespace OtaOrchestrator.Server.Checks;

/// <summary>GET; 2xx passes. Of several addresses all must.</summary>
internal sealed class HttpProbe(HttpClient http) : ICheckSource
{
    public async Task<CheckReading> ReadAsync(CheckQuestion question, CancellationToken cancellation)
    {
        foreach (var address in question.Addresses())
        {
            using var response = await http.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, cancellation);
            if (!response.IsSuccessStatusCode)
            {
                return new CheckReading(Answer.Failed, $"{address.Authority} answers {(int)response.StatusCode}");
            }
        }
        return new CheckReading(Answer.Passed, "answers");
    }
}
