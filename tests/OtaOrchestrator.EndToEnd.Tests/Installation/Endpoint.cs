using System.Text.Json;

namespace OtaOrchestrator.EndToEnd.Tests.Installation;

/// <summary>Where a server says that it answers.</summary>
internal static class Endpoint
{
    /// <returns>Undefined while it says nothing, or has not written all of it.</returns>
    public static async Task<JsonElement> OfAsync(string home)
    {
        var file = Path.Combine(home, "server", "endpoint.json");
        try
        {
            return File.Exists(file) ? JsonDocument.Parse(await File.ReadAllTextAsync(file)).RootElement : default;
        }
        catch (JsonException)
        {
            return default;
        }
    }
}
