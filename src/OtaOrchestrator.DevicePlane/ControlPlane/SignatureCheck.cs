using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace OtaOrchestrator.DevicePlane.ControlPlane;

/// <summary>Verifies AWS Signature Version 4 of a request that came in from outside, for the plane's region and any IoT service name.</summary>
internal sealed class SignatureCheck(DevicePlaneOptions options, SteadyClock clock)
{
    private const string Algorithm = "AWS4-HMAC-SHA256";
    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(15);
    private static readonly string[] Services = ["iot", "execute-api"];

    /// <exception cref="RefusedException">Unauthorized; which part was wrong isn't told.</exception>
    public void Verify(HttpRequest request, string rawTarget, byte[] body)
    {
        if (!TryVerify(request, rawTarget, body))
        {
            throw new RefusedException(Refusal.Unauthorized, "the request's signature isn't valid");
        }
    }

    private bool TryVerify(HttpRequest request, string rawTarget, byte[] body)
    {
        var header = request.Headers.Authorization.ToString();
        if (!header.StartsWith(Algorithm + " ", StringComparison.Ordinal) || header.Length > 4096)
        {
            return false;
        }

        var parts = header[(Algorithm.Length + 1)..].Split(',', StringSplitOptions.TrimEntries)
            .Select(p => p.Split('=', 2)).Where(p => p.Length == 2).GroupBy(p => p[0], StringComparer.Ordinal).ToDictionary(p => p.Key, p => p.First()[1], StringComparer.Ordinal);
        var stamp = request.Headers["X-Amz-Date"].ToString();
        if (!parts.TryGetValue("Credential", out var credential) || !parts.TryGetValue("SignedHeaders", out var signed) || !parts.TryGetValue("Signature", out var signature)
            || credential.Split('/') is not [var key, var date, var region, var service, "aws4_request"]
            || region != options.Region || !Services.Contains(service)
            || !DateTimeOffset.TryParseExact(stamp, "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            || !stamp.StartsWith(date, StringComparison.Ordinal) || (clock.WallNow - time).Duration() > Tolerance
            || !options.ControlPlaneCredentials.TryGetValue(key, out var secret))
        {
            return false;
        }

        var names = signed.Split(';');
        if (!names.Contains("host") || !names.Contains("x-amz-date"))
        {
            return false;
        }

        var canonical = string.Join('\n', [
            request.Method,
            CanonicalPath(rawTarget),
            CanonicalQuery(rawTarget),
            .. names.Select(n => $"{n}:{string.Join(',', request.Headers[n].Select(v => Squeeze(v)))}"),
            "",
            signed,
            Convert.ToHexStringLower(SHA256.HashData(body)),
        ]);
        var scope = $"{date}/{region}/{service}/aws4_request";
        var toSign = $"{Algorithm}\n{stamp}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var signing = Hmac(Hmac(Hmac(Hmac(Encoding.UTF8.GetBytes("AWS4" + secret), date), region), service), "aws4_request");
        var expected = Convert.ToHexStringLower(Hmac(signing, toSign));
        return CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expected), Encoding.UTF8.GetBytes(signature));
    }

    /// <summary>All services but S3 sign the path encoded once more than it is sent.</summary>
    private static string CanonicalPath(string rawTarget)
    {
        var end = rawTarget.IndexOf('?', StringComparison.Ordinal);
        var path = end < 0 ? rawTarget : rawTarget[..end];
        return string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
    }

    private static string CanonicalQuery(string rawTarget)
    {
        var start = rawTarget.IndexOf('?', StringComparison.Ordinal);
        if (start < 0 || start == rawTarget.Length - 1)
        {
            return "";
        }

        return string.Join('&', rawTarget[(start + 1)..].Split('&').Select(p =>
        {
            var pair = p.Split('=', 2);
            return (Name: Encode(pair[0]), Value: pair.Length == 2 ? Encode(pair[1]) : "");
        }).OrderBy(p => p.Name, StringComparer.Ordinal).ThenBy(p => p.Value, StringComparer.Ordinal).Select(p => $"{p.Name}={p.Value}"));

        static string Encode(string text) => Uri.EscapeDataString(Uri.UnescapeDataString(text.Replace("+", "%20", StringComparison.Ordinal)));
    }

    private static string Squeeze(string? value) => string.Join(' ', (value ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries));

    private static byte[] Hmac(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));
}
