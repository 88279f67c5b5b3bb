using System.Text.RegularExpressions;

namespace OtaOrchestrator.Core.Plans;

/// <summary>A metric of CloudWatch as a plan writes it: <c>Sum(AWS/Lambda:Errors{FunctionName=api,Resource=api:live})</c>.</summary>
/// <param name="Statistic">Sum, Average, Minimum, Maximum, SampleCount, or a percentile such as p99.</param>
public sealed partial record MetricQuery(string Statistic, string Namespace, string Metric, IReadOnlyList<(string Name, string Value)> Dimensions)
{
    public const string Form = "Sum(AWS/Lambda:Errors{FunctionName=api})";
    private const int CharsMax = 1000;
    private const int DimensionsMax = 30;

    /// <summary>Null for anything else.</summary>
    public static MetricQuery? Parse(string text)
    {
        if (text.Length > CharsMax || Shape().Match(text) is not { Success: true } match)
        {
            return null;
        }
        var dimensions = match.Groups["name"].Captures.Zip(match.Groups["value"].Captures, (name, value) => (name.Value, value.Value)).ToList();
        return dimensions.Count <= DimensionsMax && dimensions.Select(dimension => dimension.Item1).Distinct(StringComparer.Ordinal).Count() == dimensions.Count
            ? new MetricQuery(match.Groups["statistic"].Value, match.Groups["namespace"].Value, match.Groups["metric"].Value, dimensions)
            : null;
    }

    [GeneratedRegex(@"^(?<statistic>Sum|Average|Minimum|Maximum|SampleCount|p\d{1,2}(?:\.\d{1,2})?)\((?<namespace>[^:{}\s]{1,255}):(?<metric>[^{}\p{C}]{1,255}?)(?:\{(?:(?<name>[^=,{}\p{C}]{1,255})=(?<value>[^,{}\p{C}]{1,255})(?:,(?!\})|(?=\})))+\})?\)$", RegexOptions.ExplicitCapture, 100)]
    private static partial Regex Shape();
}
