namespace OtaOrchestrator.Cli.Output;

/// <summary>The few signs that are not letters; plain ASCII unless the terminal says UTF-8.</summary>
internal sealed record Glyphs(string Arrow, char Full, char Empty, string Ellipsis)
{
    public static readonly Glyphs Ascii = new("->", '#', '.', "...");
    public static readonly Glyphs Unicode = new("→", '█', '░', "…");
}
