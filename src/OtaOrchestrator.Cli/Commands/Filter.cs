namespace OtaOrchestrator.Cli.Commands;

/// <summary>Terms of a list filter, joined by AND; values are quoted so that they can't become terms.</summary>
internal sealed class Filter
{
    private readonly List<string> _terms = [];

    public string Text => string.Join(" AND ", _terms);

    public Filter Equal(string field, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            if (value.AsSpan().ContainsAny('"', '\\') || value.Any(char.IsControl))
            {
                throw new CliFailure(ExitCode.Usage, $"--{field}: quotes, backslashes and control characters can't be in it");
            }
            _terms.Add($"{field}=\"{value}\"");
        }
        return this;
    }

    public Filter Is(string field, bool wanted)
    {
        if (wanted)
        {
            _terms.Add(field + "=true");
        }
        return this;
    }

    public Filter Raw(string? terms)
    {
        if (!string.IsNullOrEmpty(terms))
        {
            _terms.Add(terms);
        }
        return this;
    }
}
