using OtaOrchestrator.Agent.Storage;

namespace OtaOrchestrator.Agent.Tests;

/// <summary>The power went.</summary>
internal sealed class PowerLostException : Exception;

/// <summary>
/// A disk whose power goes before the n-th effect. What was written but not flushed by then is lost or, worse, half there.
/// </summary>
internal sealed class FailingDisk(int failBefore) : Disk
{
    private readonly Dictionary<string, long> _unflushed = new(StringComparer.Ordinal);

    public int Effects { get; private set; }

    public bool IsOff { get; private set; }

    public List<string> Log { get; } = [];

    protected override void Before(DiskEffect effect, string path)
    {
        if (IsOff)
        {
            throw new PowerLostException();
        }
        if (++Effects == failBefore)
        {
            IsOff = true;
            foreach (var (file, length) in _unflushed.Where(file => File.Exists(file.Key)))
            {
                // Half of what was on its way arrived, the rest of it as zeros.
                using var handle = File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
                long now = RandomAccess.GetLength(handle);
                long kept = length + ((now - length) / 2);
                RandomAccess.SetLength(handle, kept);
                RandomAccess.SetLength(handle, now);
            }
            throw new PowerLostException();
        }
        Log.Add($"{effect} {Path.GetFileName(path)}");
        switch (effect)
        {
            case DiskEffect.Create:
                _unflushed[path] = 0;
                break;
            case DiskEffect.Write when !_unflushed.ContainsKey(path):
                _unflushed[path] = File.Exists(path) ? new FileInfo(path).Length : 0;
                break;
            case DiskEffect.Flush:
                _unflushed.Remove(path);
                break;
            case DiskEffect.Rename:
                Assert.DoesNotContain(path + ".new", _unflushed.Keys);
                break;
        }
    }
}
