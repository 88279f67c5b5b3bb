using System.CommandLine;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class DeviceEnrollCommand
{
    public static Command Create(CliHost host)
    {
        var target = new Argument<string>("target") { Description = "The fleet's target." };
        var directory = new Option<DirectoryInfo?>("--out", "-o") { Description = "Where the files go; enroll-TARGET when left out.", HelpName = "DIR" };
        return new Command("enroll", "Write what devices of a fleet need to enrol: a claim certificate, the server's authority, the release key. Each device makes its own key.") { target, directory }
            .Does(host, async session =>
            {
                var fleet = session.Required(target);
                var request = new EnrollDevicesRequest { Parent = await ResourceName.Context(session), Target = fleet, RequestId = Arguments.NewRequestId() };
                var answer = await session.Api.Call((api, options) => api.Devices.EnrollDevicesAsync(request, options), session.Cancellation);
                var folder = session.Get(directory) ?? new DirectoryInfo("enroll-" + ResourceName.Last(fleet));
                Write(folder, answer);
                var printable = answer.Clone();
                // The key is in its file, readable by its owner only; it has no business in a terminal's history or a build's log.
                printable.ClaimKeyPem = "";
                session.Report.Answer(printable, () =>
                [
                    $"claim for {Terminal.Clean(answer.Fleet)} in {folder.FullName}",
                    $"  ota-agent enroll: mqtt {Terminal.Clean(answer.MqttEndpoint)}, claim.crt, claim.key, server-ca.crt, release-key.pem",
                ]);
                return ExitCode.Ok;
            });
    }

    /// <summary>Writes the four files; the key with mode 0600.</summary>
    public static void Write(DirectoryInfo folder, EnrollDevicesResponse answer)
    {
        folder.Create();
        File.WriteAllText(Path.Combine(folder.FullName, "claim.crt"), answer.ClaimCertificatePem);
        File.WriteAllText(Path.Combine(folder.FullName, "server-ca.crt"), answer.ServerCaPem);
        File.WriteAllText(Path.Combine(folder.FullName, "release-key.pem"), answer.ReleaseKeyPem);
        var key = Path.Combine(folder.FullName, "claim.key");
        File.Delete(key);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }
        using var writer = new StreamWriter(key, options);
        writer.Write(answer.ClaimKeyPem);
    }
}
