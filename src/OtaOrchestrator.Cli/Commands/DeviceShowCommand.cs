using System.CommandLine;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class DeviceShowCommand
{
    public static Command Create(CliHost host)
    {
        var device = new Argument<string>("device") { Description = "The thing's name." };
        return new Command("show", "What a device says about itself.") { device }.Does(host, async session =>
        {
            var request = new GetDeviceRequest { Name = await ResourceName.InEnvironment(session, "devices", session.Required(device)) };
            var answer = await session.Api.Call((api, options) => api.Devices.GetDeviceAsync(request, options), session.Cancellation);
            session.Report.Answer(answer, () => Lines(answer, host.Time.GetUtcNow()));
            return ExitCode.Ok;
        });
    }

    public static IEnumerable<string> Lines(Device device, DateTimeOffset now)
    {
        (string Title, string Value)[] rows =
        [
            ("release", $"{device.Release}  {device.Digest}"),
            ("before", device.Previous),
            ("hardware", device.Hardware),
            ("fleet", $"{device.Fleet} {device.Cohort} {string.Join(" ", device.Groups.Where(g => g != device.Fleet && g != device.Cohort))}"),
            ("health", $"{(device.Revoked ? "REVOKED " : "")}{device.Health}{(device.HealthReason.Length > 0 ? ": " + device.HealthReason : "")}"),
            ("seen", $"{(device.Connected ? "connected" : "not connected")}, checked in {Say.Ago(device.CheckIn, now)}"),
            ("job", device.Job.Length == 0 ? "" : $"{device.Job} {device.Outcome}{(device.Reason.Length > 0 ? $" ({device.Reason})" : "")}{(device.Detail.Length > 0 ? ": " + device.Detail : "")}"),
            ("counter", Say.Count(device.SecurityCounter)),
        ];
        yield return Terminal.Clean(ResourceName.Last(device.Name));
        foreach (var (title, value) in rows)
        {
            if (value.Trim().Length > 0)
            {
                yield return Terminal.Clean($"  {Terminal.Pad(title, 9)} {value.Trim()}");
            }
        }
    }
}
