using System.Collections;
using System.Text.Json;
using System.Text.RegularExpressions;
using Amazon.IoT;
using Amazon.Runtime;
using Amazon.Runtime.Internal;

namespace OtaOrchestrator.Aws.Tests.IoT;

/// <summary>A client that holds each request against AWS's own model of the service, before it is sent: what AWS would refuse, fails the test.</summary>
internal sealed class ModelCheckedClient(AmazonIoTConfig config) : AmazonIoTClient(new BasicAWSCredentials("any", "any"), config)
{
    protected override void CustomizeRuntimePipeline(RuntimePipeline pipeline)
    {
        base.CustomizeRuntimePipeline(pipeline);
        pipeline.AddHandlerBefore<Marshaller>(new Check());
    }

    private sealed class Check : PipelineHandler
    {
        public override Task<T> InvokeAsync<T>(IExecutionContext executionContext)
        {
            IotModel.Instance.Check(executionContext.RequestContext.OriginalRequest);
            return base.InvokeAsync<T>(executionContext);
        }
    }
}

/// <summary>The constraints of botocore's model of AWS IoT: required members, ranges, lengths, patterns, enumerations.</summary>
internal sealed class IotModel
{
    private readonly JsonElement _shapes;

    private IotModel()
    {
        const string Path = "/usr/lib/python3/dist-packages/botocore/data/iot/2015-05-28/service-2.json";
        Assert.True(File.Exists(Path), "install python3-botocore: the service models come from it");
        using var model = JsonDocument.Parse(File.ReadAllText(Path));
        _shapes = model.RootElement.GetProperty("shapes").Clone();
    }

    public static IotModel Instance { get; } = new();

    public void Check(object request)
    {
        var problems = new List<string>();
        Check(request, request.GetType().Name, request.GetType().Name, problems);
        Assert.True(problems.Count == 0, string.Join("\n", problems));
    }

    private void Check(object value, string shapeName, string path, List<string> problems)
    {
        var shape = _shapes.GetProperty(shapeName);
        switch (shape.GetProperty("type").GetString())
        {
            case "structure":
                var required = shape.TryGetProperty("required", out var r) ? r.EnumerateArray().Select(n => n.GetString()).ToHashSet() : [];
                foreach (var member in shape.GetProperty("members").EnumerateObject())
                {
                    var property = char.ToUpperInvariant(member.Name[0]) + member.Name[1..];
                    var inner = value.GetType().GetProperty(property)?.GetValue(value);
                    if (inner is not null)
                    {
                        Check(inner, member.Value.GetProperty("shape").GetString()!, $"{path}.{property}", problems);
                    }
                    else if (required.Contains(member.Name))
                    {
                        problems.Add($"{path}.{property} is required");
                    }
                }

                break;
            case "list":
                var items = ((IEnumerable)value).Cast<object>().ToList();
                Bound(shape, items.Count, path, problems);
                foreach (var (index, item) in items.Index())
                {
                    Check(item, shape.GetProperty("member").GetProperty("shape").GetString()!, $"{path}[{index}]", problems);
                }

                break;
            case "string":
                var text = value.ToString()!;
                Bound(shape, text.Length, path, problems);
                if (shape.TryGetProperty("enum", out var constants) && !constants.EnumerateArray().Any(c => c.GetString() == text))
                {
                    problems.Add($"{path}: {text} is none of the enumeration");
                }

                if (shape.TryGetProperty("pattern", out var pattern) && !Regex.IsMatch(text, $"^(?:{DotNet(pattern.GetString()!)})$"))
                {
                    problems.Add($"{path}: {text} does not match {pattern}");
                }

                break;
            case "integer" or "long" or "double" or "float":
                Bound(shape, Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture), path, problems);
                break;
        }
    }

    private static void Bound(JsonElement shape, double size, string path, List<string> problems)
    {
        if ((shape.TryGetProperty("min", out var min) && size < min.GetDouble()) || (shape.TryGetProperty("max", out var max) && size > max.GetDouble()))
        {
            problems.Add($"{path}: {size} is out of bounds");
        }
    }

    /// <summary>Java's names of character classes in .NET's.</summary>
    private static string DotNet(string pattern) => pattern
        .Replace(@"\p{Upper}", "A-Z", StringComparison.Ordinal)
        .Replace(@"\p{Digit}", "0-9", StringComparison.Ordinal)
        .Replace(@"[\p{Graph}\x20]", @"[\x20-\x7E]", StringComparison.Ordinal)
        .Replace(@"\p{Graph}", @"\x21-\x7E", StringComparison.Ordinal);
}
