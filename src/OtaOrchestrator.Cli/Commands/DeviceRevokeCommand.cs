using System.CommandLine;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class DeviceRevokeCommand
{
    public static Command Create(CliHost host)
    {
        var device = new Argument<string>("device") { Description = "The thing's name." };
        var reason = Arguments.RequiredReason();
        return new Command("revoke", "Take a device's certificate away; it can't connect any more.") { device, reason }.Does(host, async session =>
        {
            var request = new RevokeDeviceRequest
            {
                Name = await ResourceName.InEnvironment(session, "devices", session.Required(device)),
                Reason = session.Get(reason) ?? "",
                RequestId = Arguments.NewRequestId(),
            };
            var answer = await session.Api.Call((api, options) => api.Devices.RevokeDeviceAsync(request, options), session.Cancellation);
            session.Report.Answer(answer, () => [$"REVOKED {ResourceName.Last(answer.Name)}"]);
            return ExitCode.Ok;
        });
    }
}
