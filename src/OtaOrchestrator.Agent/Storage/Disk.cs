using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OtaOrchestrator.Agent.Storage;

/// <summary>What a <see cref="Disk"/> does to its medium; between any two of them the power may go.</summary>
public enum DiskEffect { Create, Write, Flush, Rename, FlushDirectory, Delete }

/// <summary>
/// The device's files. Everything that has to survive a power loss goes through here, one effect at a time, so that a test can end the power before each of them.
/// </summary>
public class Disk
{
    /// <summary>Called before each effect.</summary>
    protected virtual void Before(DiskEffect effect, string path)
    {
    }

    /// <summary>Puts the bytes under the name as a whole or not at all, whatever happens meanwhile.</summary>
    public void Replace(string path, ReadOnlySpan<byte> bytes, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite)
    {
        var temporary = path + ".new";
        Before(DiskEffect.Create, temporary);
        using (var handle = File.OpenHandle(temporary, FileMode.Create, FileAccess.Write, FileShare.ReadWrite))
        {
            File.SetUnixFileMode(handle, mode);
            Before(DiskEffect.Write, temporary);
            RandomAccess.Write(handle, bytes, 0);
            Flush(handle, temporary);
        }
        Rename(temporary, path);
    }

    /// <summary>Opens a file to go on at its end; made when missing.</summary>
    public SafeFileHandle OpenAppend(string path)
    {
        if (!File.Exists(path))
        {
            Before(DiskEffect.Create, path);
        }
        return File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
    }

    public void Write(SafeFileHandle handle, string path, ReadOnlySpan<byte> bytes, long offset)
    {
        Before(DiskEffect.Write, path);
        RandomAccess.Write(handle, bytes, offset);
    }

    public void Flush(SafeFileHandle handle, string path)
    {
        Before(DiskEffect.Flush, path);
        RandomAccess.FlushToDisk(handle);
    }

    /// <summary>Moves a file over another, and makes the move last.</summary>
    public void Rename(string from, string to)
    {
        Before(DiskEffect.Rename, to);
        File.Move(from, to, overwrite: true);
        var directory = Path.GetDirectoryName(to)!;
        Before(DiskEffect.FlushDirectory, directory);
        FlushDirectory(directory);
    }

    public void Delete(string path)
    {
        if (File.Exists(path))
        {
            Before(DiskEffect.Delete, path);
            File.Delete(path);
        }
    }

    /// <summary>.NET does not open directories, and a rename lasts only once its directory is flushed.</summary>
    private static void FlushDirectory(string directory)
    {
        int descriptor = Native.Open(directory, 0);
        if (descriptor < 0)
        {
            throw new IOException($"cannot open {directory}: errno {Marshal.GetLastPInvokeError()}");
        }
        try
        {
            if (Native.Fsync(descriptor) != 0)
            {
                throw new IOException($"cannot flush {directory}: errno {Marshal.GetLastPInvokeError()}");
            }
        }
        finally
        {
            _ = Native.Close(descriptor);
        }
    }
}
