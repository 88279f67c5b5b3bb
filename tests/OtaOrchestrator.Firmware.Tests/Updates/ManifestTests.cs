using System.Text;
using CsCheck;
using OtaOrchestrator.Firmware.Updates;

namespace OtaOrchestrator.Firmware.Tests.Updates;

public sealed class ManifestTests
{
    private static readonly Manifest Example =
        new("thermostats", "thermostat-fw@2.4.0", "2.4.0", ["thermo-a1", "thermo-a2"], 3, 12, new string('a', 64), 12345);

    private static string Json => Encoding.UTF8.GetString(Example.ToBytes());

    private static Manifest? Parse(string json) => Manifest.Parse(Encoding.UTF8.GetBytes(json));

    [Fact]
    public void Signed_bytes_are_fixed() => Assert.Equal(
        """{"type":"ota-manifest/v1","fleet":"thermostats","release":"thermostat-fw@2.4.0","version":"2.4.0","hardwareIds":["thermo-a1","thermo-a2"],"securityCounter":3,"sequence":12,"sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","size":12345}""",
        Json);

    [Fact]
    public void What_was_written_is_read()
    {
        var read = Parse(Json)!;

        Assert.Equal(Example with { HardwareIds = read.HardwareIds }, read);
        Assert.Equal(Example.HardwareIds, read.HardwareIds);
        Assert.Equal(Example.ToBytes(), read.ToBytes());
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("\"ota-manifest/v1\"")]
    [InlineData("not json")]
    public void What_is_no_manifest_is_refused(string json) => Assert.Null(Parse(json));

    [Theory]
    [InlineData("ota-manifest/v1", "ota-manifest/v2")]
    [InlineData("\"fleet\":\"thermostats\"", "\"fleet\":\"\"")]
    [InlineData("\"fleet\":\"thermostats\"", "\"fleet\":null")]
    [InlineData("\"fleet\":\"thermostats\"", "\"fleet\":7")]
    [InlineData("\"fleet\":\"thermostats\"", "\"Fleet\":\"thermostats\"")]
    [InlineData("\"fleet\":\"thermostats\",", "")]
    [InlineData("\"fleet\":\"thermostats\",", "\"fleet\":\"a\",\"fleet\":\"thermostats\",")]
    [InlineData("\"fleet\":\"thermostats\",\"release\"", "\"fleet\":\"thermostats\",\"fleet\"")]
    [InlineData("\"size\":12345", "\"size\":12345,\"note\":1")]
    [InlineData("\"size\":12345", "\"size\":0")]
    [InlineData("\"size\":12345", "\"size\":-1")]
    [InlineData("\"size\":12345", "\"size\":4294967297")]
    [InlineData("\"size\":12345", "\"size\":\"12345\"")]
    [InlineData("\"size\":12345", "\"size\":12345.5")]
    [InlineData("\"size\":12345", "\"size\":1e400")]
    [InlineData("\"sequence\":12", "\"sequence\":0")]
    [InlineData("\"sequence\":12", "\"sequence\":99999999999999999999")]
    [InlineData("\"securityCounter\":3", "\"securityCounter\":-3")]
    [InlineData("[\"thermo-a1\",\"thermo-a2\"]", "[]")]
    [InlineData("[\"thermo-a1\",\"thermo-a2\"]", "\"thermo-a1\"")]
    [InlineData("[\"thermo-a1\",\"thermo-a2\"]", "[null]")]
    [InlineData("[\"thermo-a1\",\"thermo-a2\"]", "[[[[[[\"x\"]]]]]]")]
    [InlineData("aaaa\"", "aaa\"")]
    [InlineData("aaaa\"", "aaaA\"")]
    [InlineData("aaaa\"", "aaag\"")]
    [InlineData("12345}", "12345}{}")]
    [InlineData("12345}", "12345},")]
    [InlineData("12345}", "12345")]
    [InlineData("\"thermo-a1\"", "\"\\ud800\"")]
    public void Each_kind_of_damage_is_refused(string what, string by)
    {
        Assert.Contains(what, Json, StringComparison.Ordinal);
        Assert.Null(Parse(Json.Replace(what, by, StringComparison.Ordinal)));
    }

    [Fact]
    public void Too_large_is_refused_before_it_is_read()
    {
        Assert.Null(Parse(Json[..^1] + new string(' ', Manifest.BytesMax) + "}"));
        Assert.Null(Parse(Json.Replace("thermostats", new string('x', 129), StringComparison.Ordinal)));
        Assert.Null(Parse(Json.Replace("[\"thermo-a1\"", "[" + string.Concat(Enumerable.Repeat("\"h\",", 40)) + "\"h\"", StringComparison.Ordinal)));
    }

    [Fact]
    public void Random_damage_never_throws()
    {
        var good = Example.ToBytes();
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte).Array[1, 4].Sample(changes =>
        {
            var bytes = (byte[])good.Clone();
            foreach (var (at, value) in changes)
            {
                bytes[at] = value;
            }
            Manifest.Parse(bytes);
        }, iter: 3000);
        Gen.Byte.Array[0, 400].Sample(bytes => { Manifest.Parse(bytes); }, iter: 2000);
    }
}
