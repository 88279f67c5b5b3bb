using System.Globalization;
using System.Net;
using Amazon.Runtime.Internal.Transform;

namespace Amazon.Runtime.StandIn;

/// <summary>What of a reply is not its content, and the bytes of one that is not to be read.</summary>
internal readonly record struct Reply(IWebResponseData Data, byte[] Body)
{
    public HttpStatusCode StatusCode => Data.StatusCode;
}

/// <summary>Scalars as text in the path, the query and headers.</summary>
internal static class RestWire
{
    public static string Required(string? value, string member, Func<string, Exception> error) =>
        string.IsNullOrEmpty(value) ? throw error($"Request object does not have required field {member} set") : value;

    public static string? Text(int? value) => value?.ToString(CultureInfo.InvariantCulture);

    public static string? Text(long? value) => value?.ToString(CultureInfo.InvariantCulture);

    /// <summary>As a double, 0.15f would be 0.15000000596046448, which is more than CloudFront takes.</summary>
    public static string? Text(float? value) => value?.ToString("R", CultureInfo.InvariantCulture);

    public static string? Text(double? value) => value?.ToString("R", CultureInfo.InvariantCulture);

    public static string? Text(bool? value) => value is { } set ? set ? "true" : "false" : null;

    public static string? Iso8601(DateTime? value) =>
        value?.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    public static string? EpochSeconds(DateTime? value) => value is { } set
        ? ((DateTimeOffset)set.ToUniversalTime()).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)
        : null;

    public static string? Header(Reply reply, string name) => reply.Data.IsHeaderPresent(name) ? reply.Data.GetHeaderValue(name) : null;
}
