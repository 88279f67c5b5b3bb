using System.Globalization;

namespace OtaOrchestrator.EndToEnd.Tests.Installation;

/// <summary>What a process has in memory, bytes; 0 once it has ended.</summary>
internal static class Memory
{
    /// <summary>The most that it ever had.</summary>
    public static long Peak(int process) => Read(process, "VmHWM:");

    public static long Now(int process) => Read(process, "VmRSS:");

    private static long Read(int process, string name)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process.ToString(CultureInfo.InvariantCulture)}/status").FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
