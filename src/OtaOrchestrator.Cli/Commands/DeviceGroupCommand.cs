using System.CommandLine;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class DeviceGroupCommand
{
    public static Command Create(CliHost host)
    {
        var target = new Argument<string>("target") { Description = "The fleet's target." };
        var group = new Argument<string>("group") { Description = "The group's name, for example lab." };
        var devices = new Argument<string[]>("device") { Description = "Thing names.", Arity = ArgumentArity.OneOrMore };
        return new Command("group", "Put devices into a named group, for example the lab.") { target, group, devices }.Does(host, async session =>
        {
            var request = new GroupDevicesRequest
            {
                Parent = await ResourceName.Context(session),
                Target = session.Required(target),
                Group = session.Required(group),
                Devices = { session.Required(devices) },
                RequestId = Arguments.NewRequestId(),
            };
            var answer = await session.Api.Call((api, options) => api.Devices.GroupDevicesAsync(request, options), session.Cancellation);
            session.Report.Answer(answer, () => [$"{Say.Plural(answer.Added, "device")} added to {request.Group}"]);
            return ExitCode.Ok;
        });
    }
}
