using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace OtaOrchestrator.Router.TakingOver;

/// <summary>
/// Passes the listening sockets themselves to another process, over a Unix socket (SCM_RIGHTS). Both processes then accept from one queue, so no connection is
/// lost when one of them stops; with a second socket on the same port (SO_REUSEPORT) those that wait in the queue of the one that goes would be.
/// </summary>
internal static unsafe partial class PassedSockets
{
    private const int SolSocket = 1;
    private const int ScmRights = 1;
    private const int NoSignal = 0x4000;
    private const int CloseOnExec = 0x4000_0000;
    private const int HeaderBytes = 16;

    public static void Send(Socket channel, ReadOnlySpan<Socket> sockets)
    {
        byte mark = (byte)sockets.Length;
        int dataBytes = sockets.Length * sizeof(int);
        byte* control = stackalloc byte[Aligned(HeaderBytes + dataBytes)];
        *(nuint*)control = (nuint)(HeaderBytes + dataBytes);
        ((int*)control)[2] = SolSocket;
        ((int*)control)[3] = ScmRights;
        for (int i = 0; i < sockets.Length; i++)
        {
            ((int*)(control + HeaderBytes))[i] = (int)sockets[i].Handle;
        }
        var part = new Part { Base = &mark, Length = 1 };
        var message = new Message { Parts = &part, PartCount = 1, Control = control, ControlLength = (nuint)Aligned(HeaderBytes + dataBytes) };
        if (SendMessage((int)channel.Handle, &message, NoSignal) != 1)
        {
            throw new IOException($"the listeners can't be passed on: error {Marshal.GetLastPInvokeError()}");
        }
    }

    /// <summary>Waits for them. The descriptors are the caller's.</summary>
    public static Socket[] Receive(Socket channel, int count)
    {
        byte mark = 0;
        int controlBytes = Aligned(HeaderBytes + count * sizeof(int));
        byte* control = stackalloc byte[controlBytes];
        var part = new Part { Base = &mark, Length = 1 };
        var message = new Message { Parts = &part, PartCount = 1, Control = control, ControlLength = (nuint)controlBytes };
        nint received = ReceiveMessage((int)channel.Handle, &message, CloseOnExec);
        if (received != 1 || mark != count || message.ControlLength < (nuint)(HeaderBytes + count * sizeof(int)) || ((int*)control)[2] != SolSocket || ((int*)control)[3] != ScmRights)
        {
            throw new IOException(received < 0 ? $"the listeners did not come: error {Marshal.GetLastPInvokeError()}" : "the listeners did not come");
        }
        var sockets = new Socket[count];
        for (int i = 0; i < count; i++)
        {
            sockets[i] = new Socket(new SafeSocketHandle(((int*)(control + HeaderBytes))[i], ownsHandle: true));
        }
        return sockets;
    }

    private static int Aligned(int bytes) => (bytes + sizeof(nuint) - 1) & ~(sizeof(nuint) - 1);

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    private static partial nint SendMessage(int socket, Message* message, int flags);

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    private static partial nint ReceiveMessage(int socket, Message* message, int flags);

    // struct iovec and struct msghdr of 64-bit Linux.
    [StructLayout(LayoutKind.Sequential)]
    private struct Part
    {
        public byte* Base;
        public nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Message
    {
        public void* Name;
        public uint NameLength;
        public Part* Parts;
        public nuint PartCount;
        public byte* Control;
        public nuint ControlLength;
        public int Flags;
    }
}
