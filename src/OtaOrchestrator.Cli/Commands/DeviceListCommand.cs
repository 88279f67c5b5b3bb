using System.CommandLine;
using System.Globalization;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class DeviceListCommand
{
    public static Command Create(CliHost host)
    {
        var fleet = Text("--fleet", "Devices of this fleet.", "NAME");
        var release = Text("--release", "Devices that run this release.", "NAME@VERSION");
        var health = Text("--health", "healthy, unhealthy, unknown.", "WORD");
        var outcome = Text("--outcome", "Of the last job: started, confirmed, failed, refused, reverted, nothing.", "WORD");
        var reason = Text("--reason", "Of the outcome, for example SIGNATURE.", "CODE");
        var group = Text("--group", "Members of this group.", "NAME");
        var tail = Text("--tail", "Devices that this rollout's rollback has not heard of, or that failed to return.", "ROLLOUT");
        var filter = Text("--filter", "Further terms, joined by AND.", "TERMS");
        var by = Text("--by", "Count by release, digest, health, outcome or reason instead of listing.", "FIELD");
        var paging = new Paging();
        var command = new Command("list", "List or count devices by what they report.") { fleet, release, health, outcome, reason, group, tail, filter, by };
        paging.AddTo(command);
        return command.Does(host, async session =>
        {
            var terms = new Filter()
                .Equal("fleet", session.Get(fleet)).Equal("release", session.Get(release)).Equal("health", session.Get(health))
                .Equal("outcome", session.Get(outcome)).Equal("reason", session.Get(reason)).Equal("group", session.Get(group))
                .Equal("tail", session.Get(tail) is { } rollout ? ResourceName.Last(rollout) : null).Raw(session.Get(filter));
            var parent = await ResourceName.Context(session);
            if (session.Get(by) is { Length: > 0 } field)
            {
                return await Count(session, parent, terms.Text, field);
            }
            var answer = await paging.Read(session, new ListDevicesResponse(), async (size, token) =>
            {
                var request = new ListDevicesRequest { Parent = parent, PageSize = size, PageToken = token, Filter = terms.Text };
                return await session.Api.Call((api, options) => api.Devices.ListDevicesAsync(request, options), session.Cancellation);
            }, page => page.Devices, page => page.NextPageToken, (page, token) => page.NextPageToken = token);
            session.Report.Answer(answer, () => Table.Lines(
                ["DEVICE", "RELEASE", "HEALTH", "SEEN", "LAST JOB"],
                [.. answer.Devices.Select(d => new[]
                {
                    ResourceName.Last(d.Name),
                    d.Release,
                    d.Revoked ? "revoked" : d.Health,
                    (d.Connected ? "on, " : "off, ") + Say.Ago(d.CheckIn, host.Time.GetUtcNow()),
                    $"{d.Outcome}{(d.Reason.Length > 0 ? " " + d.Reason : "")}",
                })]));
            return ExitCode.Ok;
        });
    }

    private static async Task<int> Count(Session session, string parent, string filter, string field)
    {
        var request = new CountDevicesRequest { Parent = parent, Filter = filter, By = field };
        var answer = await session.Api.Call((api, options) => api.Devices.CountDevicesAsync(request, options), session.Cancellation);
        session.Report.Answer(answer, () => Table.Lines(
            [field.ToUpper(CultureInfo.InvariantCulture), "DEVICES"],
            [.. answer.Counts.OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).Select(c => new[] { c.Key.Length > 0 ? c.Key : "-", Say.Count(c.Value) }),
                ["total", Say.Count(answer.Total)]]));
        return ExitCode.Ok;
    }

    private static Option<string?> Text(string name, string description, string value) => new(name) { Description = description, HelpName = value };
}
