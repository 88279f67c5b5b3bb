using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using OtaOrchestrator.Router.Admin;
using OtaOrchestrator.Router.Routes;

namespace OtaOrchestrator.Router.State;

/// <summary>What is kept of a route between two lives of the router.</summary>
/// <param name="LeaseLost">The lease ran out: only a newer fence exposes the candidate again.</param>
/// <param name="StickyKey">Seals what clients carry, so that they keep their sides when the router starts anew. Absent in what earlier routers wrote.</param>
internal sealed record StoredRoute(
    string Name, RouteSpec Spec, bool LeaseLost, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] byte[]? StickyKey = null);

/// <summary>The file is there but is not what the router wrote. Starting without it would forget weights and fences, so the router does not start.</summary>
internal sealed class StateFileException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// The last accepted configuration: <c>{"format":1,"sha256":"…","routes":[…]}</c>, where the digest is that of the bytes of <c>routes</c>.
/// Replaced as a whole: written beside, flushed, renamed, directory flushed. One process at a time holds it.
/// </summary>
internal sealed class StateFile : IDisposable
{
    private const int Format = 1;
    private const long BytesMax = 16 * 1024 * 1024;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private readonly string _path;
    private FileStream? _lock;

    public StateFile(string path)
    {
        _path = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
        Lock();
    }

    /// <exception cref="StateFileException">Another process holds it.</exception>
    public void Lock()
    {
        try
        {
            _lock = new FileStream(_path + ".lock", new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None, UnixCreateMode = OwnerOnly });
        }
        catch (IOException error)
        {
            throw new StateFileException($"{_path} is in use by another router, or can't be locked", error);
        }
    }

    /// <summary>Another process may hold it from here on.</summary>
    public void Unlock()
    {
        _lock?.Dispose();
        _lock = null;
    }

    /// <summary>An absent file is a first start. <exception cref="StateFileException">It is damaged, or of another format.</exception></summary>
    public IReadOnlyList<StoredRoute> Load()
    {
        if (!File.Exists(_path))
        {
            return [];
        }
        try
        {
            if (new FileInfo(_path).Length > BytesMax)
            {
                throw Damaged("it is too large");
            }
            using var document = JsonDocument.Parse(File.ReadAllBytes(_path));
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("format", out var format) || !format.TryGetInt32(out int number))
            {
                throw Damaged("it has no format number");
            }
            if (number != Format)
            {
                throw new StateFileException($"{_path} has format {number}, this router reads {Format}");
            }
            if (!root.TryGetProperty("routes", out var routes) || !root.TryGetProperty("sha256", out var digest) || digest.GetString() != Digest(routes.GetRawText()))
            {
                throw Damaged("its digest does not fit its contents");
            }
            return routes.Deserialize<List<StoredRoute>>(RouterJson.Options) ?? throw Damaged("it has no routes");
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw Damaged(error is JsonException ? "it is not the JSON that was written" : "it can't be read", error);
        }
    }

    /// <summary>Returns when the routes will survive a loss of power. <exception cref="IOException">Nothing was changed.</exception></summary>
    public void Save(IEnumerable<StoredRoute> routes)
    {
        string body = JsonSerializer.Serialize(routes, RouterJson.Options);
        string text = $"{{\"format\":{Format},\"sha256\":\"{Digest(body)}\",\"routes\":{body}}}\n";
        DurableFile.Replace(_path, text, OwnerOnly);
    }

    public void Dispose() => Unlock();

    private StateFileException Damaged(string how, Exception? inner = null) => new(
        $"{_path} is damaged: {how}. The router does not start without its weights and fences: put back a copy of the file, " +
        "or remove it to begin with no routes (the orchestrator then has to write each one again)", inner);

    private static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)));
}
