using System.Text.Json;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Cli.Tests.TestHost;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Tests;

public sealed class OutputTests
{
    [Theory]
    [InlineData("thermostat", 10)]
    [InlineData("自動切戻し中", 12)]
    [InlineData("ＡＢ", 4)]
    [InlineData("한글", 4)]
    [InlineData("é", 1)]
    [InlineData("e\u0301", 1)]
    [InlineData("🔥", 2)]
    [InlineData("", 0)]
    public void Columns_are_counted_as_a_terminal_does(string text, int columns) => Assert.Equal(columns, Terminal.Columns(text));

    [Theory]
    [InlineData("自動切戻し中", 9)]
    [InlineData("自動切戻し中", 8)]
    [InlineData("a自動切戻し中", 8)]
    [InlineData("abc", 8)]
    public void Padding_takes_exactly_its_columns_and_never_halves_a_character(string text, int columns) =>
        Assert.Equal(columns, Terminal.Columns(Terminal.Pad(text, columns)));

    [Theory]
    [InlineData("\u001b[2J", "?[2J")]
    [InlineData("a\r\nb", "a  b")]
    [InlineData("x\u202Ey", "x?y")]
    [InlineData("温度 21℃", "温度 21℃")]
    public void What_others_wrote_can_not_steer_the_terminal(string text, string shown) => Assert.Equal(shown, Terminal.Clean(text));

    [Theory]
    [InlineData("rollout", "list", "--json", "--bogus")]
    [InlineData("release", "publish", "--json")]
    [InlineData("--json", "nonsense")]
    public async Task Command_line_that_is_not_understood_is_one_document_too(params string[] line)
    {
        await using var server = await Autumn.Server();
        var run = await Run.Ota(server, line);
        Assert.Equal(2, run.ExitCode);
        var error = JsonDocument.Parse(run.Out).RootElement.GetProperty("error");
        Assert.Equal(("USAGE", 2), (error.GetProperty("reason").GetString(), error.GetProperty("exitCode").GetInt32()));
        Assert.Contains("error: ", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData()]
    [InlineData("--full")]
    public async Task Plan_to_start_from_is_a_document_that_is_a_plan_again(params string[] more)
    {
        await using var server = await Autumn.Server();
        var run = await Run.Ota(server, ["plan", "init", "--json", .. more]);
        Assert.Equal("Plan", JsonDocument.Parse(run.Out).RootElement.GetProperty("kind").GetString());
        Assert.NotNull(Core.Plans.PlanText.Parse(run.Out).Plan);
    }

    [Theory]
    [InlineData(0.9, "0.9s")]
    [InlineData(12, "12s")]
    [InlineData(3599, "59m59s")]
    [InlineData(94440, "26h14m")]
    [InlineData(273600, "3d4h")]
    [InlineData(-5, "0.0s")]
    public void Spans_show_their_two_largest_units(double seconds, string text) => Assert.Equal(text, Say.Span(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Watch_view_fits_its_columns_and_is_plain_ascii()
    {
        var rollout = Autumn.Rollout();
        rollout.Cause = new string('x', 500) + "\u001b[31m";
        rollout.Lanes[0].Detail = "切戻し" + new string('長', 100);
        foreach (var width in (int[])[40, 80, 120])
        {
            var lines = WatchView.Render(rollout, Scene.Now, TimeZoneInfo.Utc, Glyphs.Ascii, width);
            Assert.All(lines, line => Assert.InRange(Terminal.Columns(line), 0, width));
            Assert.All(lines.Where(l => !l.Contains('長', StringComparison.Ordinal)), line => Assert.All(line, c => Assert.InRange(c, ' ', '~')));
        }
    }

    [Fact]
    public void Watch_view_of_every_state_is_drawn_without_a_plan_or_figures()
    {
        foreach (var state in Enum.GetValues<RolloutState>())
        {
            var rollout = new Rollout { Name = "environments/e/rollouts/r", State = state, Lanes = { new Lane { Name = "a", State = state, Step = 7 } } };
            Assert.Contains(Say.State(state), WatchView.Render(rollout, Scene.Now, TimeZoneInfo.Utc, Glyphs.Unicode, 80)[0], StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Colour_adds_nothing_but_colour()
    {
        var line = "LANE api  [OK] UNHEALTHY  plain [..] rest [red]";
        var painted = Paint.Line(line);
        Assert.NotEqual(line, painted);
        Assert.Equal(line, System.Text.RegularExpressions.Regex.Replace(painted, "\u001b\\[[0-9]+m", ""));
        Assert.Equal(line, Spectre.Console.Markup.Remove(Paint.Markup(line)));
    }
}
