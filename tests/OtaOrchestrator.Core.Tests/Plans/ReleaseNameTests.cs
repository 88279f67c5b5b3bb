using CsCheck;
using OtaOrchestrator.Core.Plans;

namespace OtaOrchestrator.Core.Tests.Plans;

public sealed class ReleaseNameTests
{
    [Theory]
    [InlineData("5", "5.0.0", 0)]
    [InlineData("5.1", "5.0.9", 1)]
    [InlineData("2.10.0", "2.9.0", 1)]
    [InlineData("5.1.0-rc.1", "5.1.0", -1)]
    [InlineData("5.1.0-rc.10", "5.1.0-rc.2", 1)]
    [InlineData("5.1.0-1", "5.1.0-alpha", -1)]
    [InlineData("5.1.0-rc", "5.1.0-rc.1", -1)]
    [InlineData("999999999.0", "2", 1)]
    public void Versions_order_by_number_and_a_prerelease_comes_first(string left, string right, int order)
    {
        Assert.Equal(order, Math.Sign(ReleaseVersion.Compare(left, right)));
        Assert.Equal(-order, Math.Sign(ReleaseVersion.Compare(right, left)));
    }

    [Fact]
    public void The_order_of_versions_is_total()
    {
        var version = Gen.Select(Gen.Int[0, 3].Array[1, 4], Gen.Int[0, 7].Select(i => ((string[])["", "-1", "-2", "-10", "-rc", "-rc.1", "-rc.2", "-a-b"])[i])).Select((numbers, pre) => string.Join(".", numbers) + pre);
        Gen.Select(version, version, version).Sample((a, b, c) =>
        {
            Assert.True(ReleaseVersion.IsValid(a));
            Assert.Equal(Math.Sign(ReleaseVersion.Compare(a, b)), -Math.Sign(ReleaseVersion.Compare(b, a)));
            if (ReleaseVersion.Compare(a, b) <= 0 && ReleaseVersion.Compare(b, c) <= 0)
            {
                Assert.True(ReleaseVersion.Compare(a, c) <= 0, $"{a} <= {b} <= {c}");
            }
        }, iter: 5000);
    }

    [Theory]
    [InlineData("thermostat-fw")]
    [InlineData("thermostat-fw@")]
    [InlineData("@1")]
    [InlineData("a@1@2")]
    [InlineData("a/b@1")]
    [InlineData("..@1")]
    [InlineData("🔥@1")]
    [InlineData("a@1.2.3.4.5")]
    [InlineData("a@v1")]
    [InlineData("a@1-")]
    [InlineData("a@1-..")]
    [InlineData("a@1\n")]
    [InlineData("a\n@1")]
    [InlineData("A@1")]
    [InlineData("-a@1")]
    [InlineData("a-@1")]
    [InlineData("a@1-x/../y")]
    [InlineData("a@9999999999")]
    [InlineData(null)]
    public void What_is_no_release_is_not_read_as_one(string? text) => Assert.Null(ReleaseName.Parse(text));

    [Theory]
    [InlineData("a@1")]
    [InlineData("thermostat-fw@2.4.0")]
    [InlineData("0@0.0.0.0-rc.1")]
    public void A_release_reads_back_as_it_is_written(string text) => Assert.Equal(text, ReleaseName.Parse(text)!.Value.ToString());

    [Fact]
    public void A_refused_name_is_shown_short_and_without_tricks()
    {
        Assert.Equal("ab", Names.Shown("a\u001b\u202e\u200bb"));
        Assert.Equal(new string('x', 40) + "…", Names.Shown(new string('x', 10_000)));
        Assert.DoesNotContain('\ud83d', Names.Shown("\ud83d").ToCharArray());
        Assert.True(System.Text.Encoding.UTF8.GetByteCount(Names.Shown(new string('x', 39) + "🔥🔥")) > 0);
        Assert.EndsWith("🔥…", Names.Shown(new string('x', 39) + "🔥🔥"));
    }

    [Theory]
    [InlineData("api >= 5", "5.0.0", true)]
    [InlineData("api >= 5", "4.9.9", false)]
    [InlineData("api>=5", "5.0.0-rc.1", false)]
    [InlineData("api = 5.1", "5.1.0", true)]
    [InlineData("api = 5.1", "5.1.1", false)]
    [InlineData("api > 5.0.3", "5.0.3", false)]
    [InlineData("api > 5.0.3", "5.0.4", true)]
    [InlineData("api < 6", "5.99", true)]
    [InlineData("api <= 6", "6.0.1", false)]
    public void A_need_compares_missing_numbers_as_zero(string need, string version, bool holds) => Assert.Equal(holds, Need.Parse(need)!.Value.Holds(version));

    [Theory]
    [InlineData("api")]
    [InlineData("api 5")]
    [InlineData("api => 5")]
    [InlineData("api == 5")]
    [InlineData("api >= five")]
    [InlineData("api >= 5..1")]
    [InlineData("Api >= 5")]
    [InlineData("-api >= 5")]
    [InlineData("api >= 5\n")]
    [InlineData("a b >= 5")]
    [InlineData("")]
    public void What_is_no_need_is_not_read_as_one(string text) => Assert.Null(Need.Parse(text));
}
