using Grpc.Core;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

/// <summary>
/// The undo sheet as a file of its own: kept beside the client's certificates when a rollout starts, so that it is there when the server is not.
/// </summary>
internal static class UndoKit
{
    public static async Task<UndoSheet> Fetch(Session session, string rollout)
    {
        var request = new GetUndoSheetRequest { Name = rollout };
        return await session.Api.Call((api, options) => api.Rollouts.GetUndoSheetAsync(request, options), session.Cancellation);
    }

    /// <summary>Keeps the rollout's sheet; a failure is said and stops nothing.</summary>
    public static async Task Keep(Session session, string rollout)
    {
        try
        {
            var sheet = await Fetch(session, rollout);
            Directory.CreateDirectory(session.Home.Kits);
            var file = Path.Combine(session.Home.Kits, FileName(rollout));
            await Write(file, sheet, session.Cancellation);
            session.Report.Note($"undo kit: {file}");
        }
        catch (Exception failure) when (failure is RpcException or IOException or UnauthorizedAccessException)
        {
            session.Report.Note("the undo kit could not be kept here; write it with: ota rollback --kit");
        }
    }

    public static async Task Write(string file, UndoSheet sheet, CancellationToken cancellation)
    {
        var temporary = file + ".new";
        await File.WriteAllTextAsync(temporary, Text(sheet), cancellation);
        File.Move(temporary, file, overwrite: true);
    }

    public static string Text(UndoSheet sheet)
    {
        var text = sheet.Text.Length > 0
            ? sheet.Text
            : string.Join('\n', sheet.Commands.Select(c => $"# {c.Lane} ({c.Target}): {c.Comment}\n{c.Command}\n"));
        return text.EndsWith('\n') ? text : text + "\n";
    }

    public static string FileName(string rollout)
    {
        var parts = rollout.Split('/');
        var name = parts.Length == 4 ? $"{parts[1]}.{parts[3]}" : ResourceName.Last(rollout);
        return "undo-" + string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '_')) + ".txt";
    }

    /// <summary>How to undo by hand when the server can't be reached.</summary>
    public static IEnumerable<string> WithoutServer(HomeDirectory home, string? rollout)
    {
        var kits = Directory.Exists(home.Kits)
            ? new DirectoryInfo(home.Kits).GetFiles("undo-*.txt").OrderByDescending(f => f.LastWriteTimeUtc).ToList()
            : [];
        var named = rollout is null ? null : kits.FirstOrDefault(f => f.Name == "undo-" + ResourceName.Last(rollout) + ".txt" || f.Name.EndsWith("." + ResourceName.Last(rollout) + ".txt", StringComparison.Ordinal));
        var kit = named ?? (rollout is null ? kits.FirstOrDefault() : null);
        yield return "UNDO WITHOUT THE SERVER";
        if (kit is null)
        {
            yield return "  no undo kit is kept on this machine; look where the rollout was started, in <home>/client/kits,";
            yield return "  or start the server on its own files: ota serve";
            yield break;
        }
        yield return $"  1. try the server once more: ota serve   (its journal has everything; a restart goes on by itself)";
        yield return $"  2. otherwise follow the kit, top to bottom: {kit.FullName}";
        yield return "  3. later start the server: it reads back what you changed before it does anything";
    }
}
