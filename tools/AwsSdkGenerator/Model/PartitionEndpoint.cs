using System.Text.Json;

namespace OtaOrchestrator.AwsSdkGenerator.Model;

/// <summary>Where a global service answers in one partition, and the region to sign for.</summary>
internal sealed record PartitionEndpoint(string Partition, string Host, string Region)
{
    /// <summary>From <c>endpoints.json</c> beside the models.</summary>
    public static IReadOnlyList<PartitionEndpoint> Of(string endpointPrefix, string modelsRoot)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(modelsRoot, "endpoints.json")));
        var found = new List<PartitionEndpoint>();
        foreach (var partition in document.RootElement.GetProperty("partitions").EnumerateArray())
        {
            if (partition.GetProperty("services").TryGetProperty(endpointPrefix, out var service)
                && Shape.Text(service, "partitionEndpoint") is { } name
                && service.TryGetProperty("isRegionalized", out var regional) && !regional.GetBoolean())
            {
                var endpoint = service.GetProperty("endpoints").GetProperty(name);
                found.Add(new(Shape.Text(partition, "partition")!, Shape.Text(endpoint, "hostname")!, Shape.Text(endpoint.GetProperty("credentialScope"), "region")!));
            }
        }

        return found;
    }
}
