using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Net.Http.Headers;

namespace OtaOrchestrator.Router.Routes;

/// <summary>
/// What keeps a client on its side: the client carries the number that was drawn for it, one of 65,536, and not the side. So the split stays the one that was
/// asked for while the weight rises, whoever is on the candidate stays there, and weight 0 moves everybody. It tells clients apart no better than the number does.
/// </summary>
/// <param name="key">The route's own, kept with its state.</param>
/// <param name="epoch">Of the rollout: the next one draws anew, so that it is not always the same clients who come first.</param>
internal sealed class StickyCookie(byte[] key, string route, long epoch, string path, TimeSpan lifetime)
{
    public const int KeyBytes = 32;
    private const int Draws = 65_536;
    private const int SealBytes = 8;
    private const int DrawChars = 4;
    private readonly byte[] _key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{route}\n{epoch}")));

    // The prefix makes browsers refuse it from plain http.
    public string Name { get; } = "__Secure-ota-" + route;

    /// <summary>The number that the client carries, as a draw between 0 and 1; null when it carries none, or one that this route and rollout did not give.</summary>
    public double? Read(string? value)
    {
        if (value is null || value.Length <= DrawChars || !ushort.TryParse(value.AsSpan(0, DrawChars), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort number))
        {
            return null;
        }
        return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(value), Encoding.UTF8.GetBytes(Sealed(number))) ? Draw(number) : null;
    }

    /// <summary>A new number, and the header that gives it to the client.</summary>
    public (double Draw, string SetCookie) Give()
    {
        ushort number = (ushort)Random.Shared.Next(Draws);
        var header = new SetCookieHeaderValue(Name, Sealed(number))
        {
            HttpOnly = true,
            Secure = true,
            SameSite = Microsoft.Net.Http.Headers.SameSiteMode.Lax,
            MaxAge = lifetime,
            Path = path,
        };
        return (Draw(number), header.ToString());
    }

    // The middle of its part, so that weight 0 takes nobody and 1 everybody.
    private static double Draw(ushort number) => (number + 0.5) / Draws;

    private string Sealed(ushort number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, number);
        return number.ToString("x4", CultureInfo.InvariantCulture) + Base64Url.EncodeToString(HMACSHA256.HashData(_key, bytes).AsSpan(0, SealBytes));
    }
}
