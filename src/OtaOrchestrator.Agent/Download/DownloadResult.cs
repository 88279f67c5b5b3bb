using OtaOrchestrator.Firmware.Updates;

namespace OtaOrchestrator.Agent.Download;

/// <summary>A verified file, or why there is none: the network's fault (<see cref="Refusal"/> is null) or the image's.</summary>
public sealed record DownloadResult(string? File, RefusalCode? Refusal, string Text)
{
    public static DownloadResult Verified(string file) => new(file, null, "");

    public static DownloadResult Failed(string text) => new(null, null, text);

    public static DownloadResult Refused(RefusalCode code, string text) => new(null, code, text);
}
