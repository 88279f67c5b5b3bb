namespace OtaOrchestrator.Server.Store;

/// <summary>Room on the disk that is given up when the disk is full, so that a rollback can still commit.</summary>
internal sealed class DiskReserve(string file, long bytes)
{
    /// <summary>Takes the room. False when there is none.</summary>
    public bool TryTake()
    {
        if (File.Exists(file) && new FileInfo(file).Length == bytes)
        {
            return true;
        }
        try
        {
            using var stream = new FileStream(file, FileMode.Create, FileAccess.Write);
            var block = new byte[64 * 1024];
            // Written, not only allocated: a sparse file reserves nothing.
            for (long written = 0; written < bytes; written += block.Length)
            {
                stream.Write(block, 0, (int)Math.Min(block.Length, bytes - written));
            }
            stream.Flush(flushToDisk: true);
            return true;
        }
        catch (IOException)
        {
            Release();
            return false;
        }
    }

    public void Release() => File.Delete(file);
}
