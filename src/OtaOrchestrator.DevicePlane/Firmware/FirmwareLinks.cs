using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace OtaOrchestrator.DevicePlane.Firmware;

/// <summary>
/// Makes and checks links to images: for one thing, for a limited time, signed. Lives are counted on the steady clock, so a set clock
/// neither kills a link nor keeps it alive; after a restart that clock starts at the wall clock again.
/// </summary>
internal sealed class FirmwareLinks(byte[] secret, SteadyClock clock, Func<string> authority)
{
    public const int DefaultLifeSeconds = 3600;
    private const int SecretBytes = 32;

    /// <summary>Reads the secret, or makes one that only this account can read.</summary>
    public static byte[] LoadSecret(string path)
    {
        if (!File.Exists(path))
        {
            // Written aside and renamed, so that a crash can't leave half a secret.
            var aside = path + ".new";
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using (var file = new FileStream(aside, options))
            {
                file.Write(RandomNumberGenerator.GetBytes(SecretBytes));
                file.Flush(flushToDisk: true);
            }

            File.Move(aside, path);
        }

        var secret = File.ReadAllBytes(path);
        return secret.Length == SecretBytes ? secret : throw new InvalidDataException($"'{path}' must hold {SecretBytes} bytes");
    }

    public string Issue(string key, string thing, int lifeSeconds)
    {
        var expires = (clock.SteadyMs / 1000) + lifeSeconds;
        return string.Create(
            CultureInfo.InvariantCulture, $"https://{authority()}/firmware/{key}?thing={Uri.EscapeDataString(thing)}&expires={expires}&signature={Sign(key, thing, expires)}");
    }

    /// <summary>Null when the link is good, else what is wrong with it.</summary>
    public string? Refuse(string key, string thing, string expires, string signature)
    {
        if (!long.TryParse(expires, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || !CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Sign(key, thing, seconds)), Encoding.UTF8.GetBytes(signature)))
        {
            return "the link's signature isn't valid";
        }

        return clock.SteadyMs / 1000 >= seconds ? "the link has expired" : null;
    }

    private string Sign(string key, string thing, long expires) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{key}\n{thing}\n{expires}"))));
}
