using System.Globalization;
using System.Text;
using OtaOrchestrator.Server.Errors;

namespace OtaOrchestrator.Server.Api;

/// <summary>Page sizes and tokens. A token is opaque to clients; one that was not made here is refused.</summary>
internal static class Pages
{
    public static int Size(int asked, int usual = 100, int most = 1000) => asked switch
    {
        < 0 => throw RefusedException.Invalid("pageSize", "is negative"),
        0 => usual,
        _ => Math.Min(asked, most),
    };

    public static string Token(params string[] parts) => Convert.ToBase64String(Encoding.UTF8.GetBytes(string.Join('\n', parts)));

    /// <summary>After everything that is stored.</summary>
    public static readonly DateTimeOffset EndOfTime = DateTimeOffset.FromUnixTimeMilliseconds(253402300799999);

    /// <summary>A time in a token, epoch milliseconds.</summary>
    public static DateTimeOffset Time(string part) =>
        long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out long ms) && ms <= EndOfTime.ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds(ms)
            : throw RefusedException.Invalid("pageToken", "was not given out here");

    public static string[] Parts(string token, int count)
    {
        if (token.Length == 0)
        {
            return [];
        }
        try
        {
            var parts = Encoding.UTF8.GetString(Convert.FromBase64String(token)).Split('\n');
            return parts.Length == count && token.Length <= 4096 ? parts : throw new FormatException();
        }
        catch (FormatException)
        {
            throw RefusedException.Invalid("pageToken", "was not given out here");
        }
    }
}
