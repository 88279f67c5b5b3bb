using System.Text.RegularExpressions;

namespace OtaOrchestrator.Core.Plans;

/// <summary>What a lane's candidate asks of another target: <c>thermostat-api &gt;= 5</c>.</summary>
public readonly partial record struct Need(string Target, string Operator, string Version)
{
    public static Need? Parse(string text)
    {
        var match = text.Length <= 200 ? Pattern().Match(text) : Match.Empty;
        return match.Success && Names.IsValid(match.Groups[1].Value) && ReleaseVersion.IsValid(match.Groups[3].Value) ? new Need(match.Groups[1].Value, match.Groups[2].Value, match.Groups[3].Value) : null;
    }

    public bool Holds(string version)
    {
        int order = ReleaseVersion.Compare(version, Version);
        return Operator switch { ">=" => order >= 0, ">" => order > 0, "<=" => order <= 0, "<" => order < 0, _ => order == 0 };
    }

    public override string ToString() => $"{Target} {Operator} {Version}";

    [GeneratedRegex(@"\A *([a-z0-9-]{1,63}) *(>=|<=|>|<|=) *([0-9A-Za-z.-]{1,80}) *\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
