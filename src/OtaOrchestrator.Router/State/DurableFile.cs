using System.Runtime.InteropServices;
using System.Text;

namespace OtaOrchestrator.Router.State;

/// <summary>Replaces a file so that at every moment either the old or the new contents are there, also after a loss of power.</summary>
internal static partial class DurableFile
{
    public static void Replace(string path, string text, UnixFileMode mode)
    {
        string beside = path + ".new";
        // A left-over of a write that was cut off is of no use and may have another mode.
        File.Delete(beside);
        using (var stream = new FileStream(beside, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = mode }))
        {
            stream.Write(Encoding.UTF8.GetBytes(text));
            stream.Flush(flushToDisk: true);
        }
        File.Move(beside, path, overwrite: true);
        FlushDirectory(Path.GetDirectoryName(path)!);
    }

    private static void FlushDirectory(string directory)
    {
        // The runtime opens no directories, and the rename is only durable with the directory's own flush.
        int descriptor = Open(directory, 0);
        if (descriptor < 0)
        {
            throw new IOException($"{directory} can't be opened: error {Marshal.GetLastPInvokeError()}");
        }
        int result = Fsync(descriptor);
        int error = Marshal.GetLastPInvokeError();
        _ = Close(descriptor);
        if (result != 0)
        {
            throw new IOException($"{directory} can't be flushed: error {error}");
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
