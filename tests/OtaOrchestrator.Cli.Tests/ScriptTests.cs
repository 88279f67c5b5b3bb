using System.Runtime.CompilerServices;
using System.Text;
using OtaOrchestrator.Cli.Tests.TestHost;

namespace OtaOrchestrator.Cli.Tests;

/// <summary>
/// Each file in <c>Scripts/</c> is a session: <c>#: </c> a remark, <c>$ ota ...</c>, what it prints (<c>! </c> before stderr), and the exit code when it is not 0.
/// A run with OTA_APPROVE=1 writes what it saw; read the difference before it is committed.
/// </summary>
public sealed class ScriptTests
{
    public static TheoryData<string> Scripts() => [.. Directory.EnumerateFiles(SourceFolder(), "*.txt").Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Scripts))]
    public async Task Session_prints_what_its_script_says(string script)
    {
        var file = Path.Combine(SourceFolder(), script);
        var expected = await File.ReadAllTextAsync(file);
        await using var server = await Autumn.Server();
        var seen = new StringBuilder();
        foreach (var line in expected.Split('\n').Where(l => l.StartsWith("$ ota", StringComparison.Ordinal) || l.StartsWith("#: ", StringComparison.Ordinal)))
        {
            seen.Append(line).Append('\n');
            if (line[0] == '#')
            {
                continue;
            }
            var run = await Run.Ota(server, [.. Words(line[5..])]);
            seen.Append(run.Out);
            foreach (var said in run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                seen.Append("! ").Append(said).Append('\n');
            }
            if (run.ExitCode != 0)
            {
                seen.Append("[exit ").Append(run.ExitCode).Append("]\n");
            }
        }
        if (Environment.GetEnvironmentVariable("OTA_APPROVE") == "1")
        {
            await File.WriteAllTextAsync(file, seen.ToString());
        }
        Assert.Equal(expected, seen.ToString());
    }

    private static IEnumerable<string> Words(string line)
    {
        var word = new StringBuilder();
        var (quoted, any) = (false, false);
        foreach (var c in line)
        {
            if (c == '\'')
            {
                quoted = !quoted;
                any = true;
            }
            else if (c == ' ' && !quoted)
            {
                if (any)
                {
                    yield return word.ToString();
                }
                word.Clear();
                any = false;
            }
            else
            {
                word.Append(c);
                any = true;
            }
        }
        if (any)
        {
            yield return word.ToString();
        }
    }

    private static string SourceFolder([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "Scripts");
}
