using System.Net;

namespace OtaOrchestrator.Simulator.Fleet;

/// <param name="OfflineShare">This share of the devices, 0 to 1, is enrolled and then switched off.</param>
public sealed record FleetOptions(
    int Devices, string Fleet, string Hardware, string StateDirectory, DnsEndPoint Mqtt, string CaFile, string ClaimCertificateFile, string ClaimKeyFile, string ReleaseKeyFile,
    string InitialImageFile, TimeSpan CheckIn, TimeSpan ConfirmTimeout, TimeSpan BootTime, double OfflineShare, int Seed)
{
    public const int DevicesMax = 10_000;
}
