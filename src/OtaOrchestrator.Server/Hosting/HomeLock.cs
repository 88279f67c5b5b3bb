namespace OtaOrchestrator.Server.Hosting;

/// <summary>One server for a home: two on the same files would each believe that its memory is the newest. The system drops the lock with the process.</summary>
public sealed class HomeLock : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BetweenTries = TimeSpan.FromMilliseconds(100);
    private readonly FileStream _file;

    private HomeLock(FileStream file) => _file = file;

    /// <summary>Waits a little, for a process that was just killed.</summary>
    /// <exception cref="IOException">Another server has it.</exception>
    public static async Task<HomeLock> TakeAsync(Home home, TimeProvider time)
    {
        home.Create();
        long began = time.GetTimestamp();
        while (true)
        {
            try
            {
                return new HomeLock(new FileStream(Path.Combine(home.Server, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }
            catch (IOException error)
            {
                if (time.GetElapsedTime(began) >= Patience)
                {
                    throw new IOException($"another server runs on {home.Root}", error);
                }
            }
            await Task.Delay(BetweenTries, time);
        }
    }

    public void Dispose() => _file.Dispose();
}
