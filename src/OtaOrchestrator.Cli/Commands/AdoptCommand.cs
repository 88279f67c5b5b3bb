using System.CommandLine;
using System.Globalization;
using Grpc.Core;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class AdoptCommand
{
    public static Command Create(CliHost host)
    {
        var name = new Argument<string>("target") { Description = "The target's name in plans." };
        var group = new Option<string?>("--group") { Description = "The fleet's thing group; the target's name when left out. It is made when it is driven.", HelpName = "NAME" };
        var query = new Option<string?>("--query") { Description = "Which things, in the language of fleet indexing; those in the group already when left out.", HelpName = "QUERY" };
        var region = new Option<string>("--region") { Description = "The AWS region.", HelpName = "REGION", Required = true };
        var bucket = new Option<string>("--firmware-bucket") { Description = "The bucket from which the devices fetch firmware.", HelpName = "BUCKET", Required = true };
        var role = new Option<string>("--presign-role") { Description = "The role by which AWS IoT signs links into that bucket.", HelpName = "ARN", Required = true };
        var edge = IotPlaceOptions.Edge();
        var agent = IotPlaceOptions.Agent();
        var version = new Option<string?>("--version-from") { Description = "Where the devices say what they run: shadow:NAME:PATH, attribute:NAME or job:KEY; the agent's shadow ota when left out.", HelpName = "SOURCE" };
        var mode = new Option<string>("--mode") { Description = "observe: shown and counted. advise: plans are checked and told whom they would reach. drive: rollouts change it.", DefaultValueFactory = _ => "observe" };
        mode.AcceptOnlyFromAmong("observe", "advise", "drive");
        var release = new Option<string>("--release") { Description = "The release that the devices run now.", HelpName = "NAME@VERSION", Required = true };
        var hardware = new Option<string[]>("--hardware") { Description = "Hardware ids in the fleet.", HelpName = "ID" };
        var dry = new Option<bool>("--dry-run") { Description = "Look, and list the calls that it would take; change nothing, here or on AWS." };
        return new Command("adopt", "Make a fleet of things that are registered with AWS IoT already, without replacing what runs on them. Repeating does what is missing.")
        {
            name, group, query, region, bucket, role, edge, agent, version, mode, release, hardware, dry,
        }.Does(host, async session =>
        {
            var request = new AdoptFleetRequest
            {
                Parent = await ResourceName.Context(session),
                TargetId = session.Required(name),
                CurrentRelease = ResourceName.Release(session.Get(release)!),
                Query = session.Get(query) ?? "",
                DryRun = session.Get(dry),
                Fleet = new FleetTarget
                {
                    Fleet = session.Get(group) ?? session.Required(name),
                    HardwareIds = { session.Get(hardware) ?? [] },
                    Aws = new AwsIotPlace
                    {
                        Region = session.Get(region)!, FirmwareBucket = session.Get(bucket)!, PresignRoleArn = session.Get(role)!, VersionFrom = session.Get(version) ?? "",
                        Agent = IotPlaceOptions.AgentOf(session.Get(agent)),
                        Edge = IotPlaceOptions.EdgeOf(session.Get(edge)),
                        Mode = session.Get(mode) switch { "drive" => AdoptionMode.Drive, "advise" => AdoptionMode.Advise, _ => AdoptionMode.Observe },
                    },
                },
            };
            var answer = new AdoptFleetResponse();
            using var call = session.Api.Environments.AdoptFleet(request, cancellationToken: session.Cancellation);
            await foreach (var part in call.ResponseStream.ReadAllAsync(session.Cancellation))
            {
                answer.MergeFrom(part);
                if (part.CallsInAll > 0 && (part.CallsMade % 100 == 0 || part.CallsMade == part.CallsInAll))
                {
                    session.Report.Note($"{Say.Count(part.CallsMade)} of {Say.Plural(part.CallsInAll, "call")}");
                }
            }
            session.Report.Answer(answer, () => Lines(answer, request, host.Time.GetUtcNow()));
            return answer.Inventory.Findings.Any(finding => finding.Blocks) && request.Fleet.Aws.Mode == AdoptionMode.Drive ? ExitCode.WrongState : ExitCode.Ok;
        });
    }

    private static IEnumerable<string> Lines(AdoptFleetResponse answer, AdoptFleetRequest request, DateTimeOffset now)
    {
        var inventory = answer.Inventory;
        yield return Terminal.Clean($"{request.Fleet.Fleet}  {Say.Plural(inventory.Devices, "device")}, {Say.Count(inventory.Connected)} connected");
        foreach (var (version, count) in inventory.Versions.OrderByDescending(one => one.Value).ThenBy(one => one.Key, StringComparer.Ordinal))
        {
            yield return Terminal.Clean($"  {Say.Count(count),8}  {version}");
        }
        if (inventory.Unknown > 0)
        {
            yield return $"  {Say.Count(inventory.Unknown),8}  do not say what they run";
        }
        if (inventory.Sampled > 0)
        {
            yield return $"  of {Say.Plural(inventory.Sampled, "device")} that were asked one by one";
        }
        foreach (var finding in inventory.Findings)
        {
            yield return Terminal.Clean($"[{(finding.Blocks ? "NG" : "--")}] {finding.Code}: {finding.Text}");
            yield return Terminal.Clean($"     {finding.Remedy}");
        }
        foreach (var call in inventory.Calls)
        {
            yield return Terminal.Clean(string.Create(CultureInfo.InvariantCulture, $"  {call.Count,8} x {call.Operation}, for example {call.Example}"));
        }
        yield return $"  a rollout to all: {Say.Plural(inventory.Units.RemoteActionsPerRollout, "remote action")} of AWS IoT Device Management, and as many again if it is taken back";
        if (answer.Target is { } target)
        {
            foreach (var line in TargetView.Lines(target, now))
            {
                yield return line;
            }
        }
    }
}
