using System.CommandLine;
using Google.Protobuf.Collections;

namespace OtaOrchestrator.Cli.Commands;

/// <summary>Lists come in pages; a command reads as many as it is asked for and says when there is more.</summary>
internal sealed class Paging
{
    private const int PageSizeMax = 500;

    private readonly Option<int> _limit = new Option<int>("--limit") { Description = "How many at most.", HelpName = "N", DefaultValueFactory = _ => 100 }.Within(1, 1_000_000);
    private readonly Option<string?> _after = new("--page-token") { Description = "Go on where another list ended.", HelpName = "TOKEN" };

    public void AddTo(Command command)
    {
        command.Options.Add(_limit);
        command.Options.Add(_after);
    }

    /// <summary>Joins pages into <paramref name="all"/>.</summary>
    public async Task<TResponse> Read<TResponse, TItem>(
        Session session,
        TResponse all,
        Func<int, string, Task<TResponse>> page,
        Func<TResponse, RepeatedField<TItem>> items,
        Func<TResponse, string> next,
        Action<TResponse, string> setNext)
    {
        var limit = session.Get(_limit);
        var token = session.Get(_after) ?? "";
        do
        {
            var answer = await page(Math.Min(PageSizeMax, limit - items(all).Count), token);
            items(all).AddRange(items(answer));
            token = next(answer);
        }
        while (token.Length > 0 && items(all).Count < limit);
        setNext(all, token);
        if (token.Length > 0 && !session.Report.Json)
        {
            session.Report.Note($"there is more: --page-token {token}");
        }
        return all;
    }
}
