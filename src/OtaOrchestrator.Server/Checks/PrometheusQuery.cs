using System.Globalization;
using System.Text.Json;
using OtaOrchestrator.Core.Analysis;

namespace OtaOrchestrator.Server.Checks;

/// <summary>An instant query; every sample must lie within the limits. No sample, or one that is no number, says nothing.</summary>
internal sealed class PrometheusQuery(HttpClient http) : ICheckSource
{
    public async Task<CheckReading> ReadAsync(CheckQuestion question, CancellationToken cancellation)
    {
        var check = question.Check;
        using var form = new FormUrlEncodedContent([new("query", question.Query())]);
        using var response = await http.PostAsync(new Uri(check.Url!.TrimEnd('/') + "/api/v1/query"), form, cancellation);
        if (!response.IsSuccessStatusCode)
        {
            return new CheckReading(Answer.Nothing, $"prometheus answers {(int)response.StatusCode}");
        }
        IReadOnlyList<double> samples;
        try
        {
            using var json = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellation));
            samples = Samples(json.RootElement.GetProperty("data"));
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or IndexOutOfRangeException)
        {
            return new CheckReading(Answer.Nothing, "the answer is not one of prometheus");
        }
        if (samples.Count == 0)
        {
            return new CheckReading(Answer.Nothing, "the query gives no sample");
        }
        if (samples.Any(double.IsNaN))
        {
            return new CheckReading(Answer.Nothing, "the query gives a sample that is no number");
        }
        foreach (var sample in samples)
        {
            if (sample > check.ValueMax)
            {
                return new CheckReading(Answer.Failed, string.Create(CultureInfo.InvariantCulture, $"{sample} (max {check.ValueMax})"), sample);
            }
            if (sample < check.ValueMin)
            {
                return new CheckReading(Answer.Failed, string.Create(CultureInfo.InvariantCulture, $"{sample} (min {check.ValueMin})"), sample);
            }
        }
        return new CheckReading(Answer.Passed, string.Join(", ", samples.Take(3).Select(sample => sample.ToString(CultureInfo.InvariantCulture))), samples[0]);
    }

    private static IReadOnlyList<double> Samples(JsonElement data) => data.GetProperty("resultType").GetString() switch
    {
        "scalar" => [Value(data.GetProperty("result"))],
        "vector" => [.. data.GetProperty("result").EnumerateArray().Select(sample => Value(sample.GetProperty("value")))],
        _ => throw new FormatException("neither scalar nor vector"),
    };

    /// <summary>A pair of a time and a text, which may be NaN or ±Inf.</summary>
    private static double Value(JsonElement pair) => pair[1].GetString() switch
    {
        "+Inf" or "Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        "NaN" => double.NaN,
        { } text => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture),
        null => throw new FormatException("no value"),
    };
}
