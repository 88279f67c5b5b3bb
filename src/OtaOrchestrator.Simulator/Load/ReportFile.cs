namespace OtaOrchestrator.Simulator.Load;

/// <summary>A file that a reader always finds whole.</summary>
internal static class ReportFile
{
    public static void Replace(string path, string json)
    {
        string beside = path + ".new";
        File.WriteAllText(beside, json + "\n");
        File.Move(beside, path, overwrite: true);
    }
}
