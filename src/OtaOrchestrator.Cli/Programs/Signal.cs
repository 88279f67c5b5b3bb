using System.Runtime.InteropServices;

namespace OtaOrchestrator.Cli.Programs;

/// <summary>Signals to a process, by its id.</summary>
internal static partial class Signal
{
    private const int Kill = 9;
    private const int Terminate = 15;

    /// <summary>Asks it to stop gracefully.</summary>
    public static void SendTerminate(int pid) => _ = Send(pid, Terminate);

    /// <summary>Ends it at once, as a crash or a power cut would.</summary>
    public static void SendKill(int pid) => _ = Send(pid, Kill);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Send(int pid, int signal);
}
