using System.Text;
using System.Text.Json;
using OtaOrchestrator.Aws.ApiGateway;
using OtaOrchestrator.Aws.CloudFront;
using OtaOrchestrator.Aws.CodeDeploy;
using OtaOrchestrator.Aws.IoT;
using OtaOrchestrator.Aws.Lambda;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Protocol.V1;
using OtaOrchestrator.Server.Api;
using OtaOrchestrator.Server.Hosting;

namespace OtaOrchestrator.Server.Rollouts;

/// <summary>How to take a rollout back by hand, with nothing but the targets' own tools: made when the rollout is created, for the night when the orchestrator is gone.</summary>
internal static class UndoSheets
{
    /// <param name="home">Where this installation keeps its keys.</param>
    /// <param name="controlPlane">Where the device plane takes calls of AWS IoT's own tools; null when it takes none.</param>
    public static UndoSheet Of(Core.Rollouts.Rollout rollout, Func<string, Target> targetOf, Home home, string? controlPlane)
    {
        var sheet = new UndoSheet { Rollout = ResourceNames.OfRollout(rollout.Environment, rollout.Id) };
        foreach (var lane in Ordered(rollout))
        {
            var target = targetOf(lane.Target);
            sheet.Commands.AddRange(target.KindCase switch
            {
                Target.KindOneofCase.Fleet => Fleet(rollout, lane, target.Fleet, home, controlPlane),
                Target.KindOneofCase.Lambda => Of(lane, LambdaUndo.Commands(target.Lambda.Function, target.Lambda.Alias, target.Lambda.Region, lane.Fallback, Quoted)),
                Target.KindOneofCase.CodeDeploy => Of(lane, CodeDeployUndo.Commands(target.CodeDeploy.Application, target.CodeDeploy.DeploymentGroup, target.CodeDeploy.Region, lane.Order(rollout, rollout.Revision), Quoted)),
                Target.KindOneofCase.ApiGateway => Of(lane, StageUndo.Commands(target.ApiGateway.RestApi, target.ApiGateway.Stage, target.ApiGateway.Region, lane.Fallback, Quoted)),
                Target.KindOneofCase.CloudFront => Of(lane, CloudFrontUndo.Commands(target.CloudFront.Distribution, lane.Fallback, Quoted)),
                _ => Router(rollout, lane, target.Router, home),
            });
        }
        var text = new StringBuilder();
        text.Append($"UNDO {sheet.Rollout}, made {rollout.CreatedAt:u} by {rollout.StartedBy}\n");
        text.Append("With the orchestrator: ota rollback ").Append(rollout.Id).Append(" --env ").Append(rollout.Environment).Append('\n');
        text.Append("Without it, in this order:\n");
        foreach (var command in sheet.Commands)
        {
            text.Append($"\n# {command.Lane} ({command.Target}): {command.Comment}\n{command.Command}\n");
        }
        sheet.Text = text.ToString();
        return sheet;
    }

    private static IEnumerable<UndoCommand> Of(Core.Rollouts.Lane lane, IEnumerable<(string Comment, string Command)> commands) =>
        commands.Select(undo => new UndoCommand { Lane = lane.Name, Target = lane.Target, Comment = undo.Comment, Command = undo.Command });

    /// <summary>Lanes that nothing waits for come first.</summary>
    private static IEnumerable<Core.Rollouts.Lane> Ordered(Core.Rollouts.Rollout rollout)
    {
        HashSet<string> done = new(StringComparer.Ordinal);
        while (rollout.Lanes.Reverse().FirstOrDefault(lane => !done.Contains(lane.Name) && lane.UndoAfter.All(done.Contains)) is { } next)
        {
            done.Add(next.Name);
            yield return next;
        }
    }

    /// <summary>What operators wrote must be a word of the command and nothing else: the sheet is followed by whoever holds the server's keys.</summary>
    private static string Quoted(string path) => "'" + path.Replace("'", "'\\''", StringComparison.Ordinal) + "'";

    private static IEnumerable<UndoCommand> Router(Core.Rollouts.Rollout rollout, Core.Rollouts.Lane lane, RouterTarget router, Home home)
    {
        // Whole paths: nobody sets variables at night.
        var identity = $"--cacert {Quoted(Path.Combine(home.Pki, "server-ca.crt"))} --cert {Quoted(Path.Combine(home.Pki, "orchestrator.crt"))} --key {Quoted(Path.Combine(home.Pki, "orchestrator.key"))}";
        var url = Quoted($"{router.AdminUrl.TrimEnd('/')}/v1/routes/{router.Route}");
        var addresses = string.Join(",", lane.Fallback.Addresses.Select(address => $"\"{JsonEncodedText.Encode(address)}\""));
        // One epoch ahead of anything that this rollout may still send.
        var body = $$"""{"fence":{"epoch":{{lane.Epoch}},"revision":1000000000},"baseline":{"release":"{{lane.Fallback}}","addresses":[{{addresses}}]},"candidate":null,"candidateWeight":0}""";
        yield return new UndoCommand
        {
            Lane = lane.Name,
            Target = lane.Target,
            Comment = $"all traffic back to {lane.Fallback}",
            Command = $"curl --fail {identity} -X PUT {url} -H 'content-type: application/json' -d {Quoted(body)}",
        };
        yield return new UndoCommand
        {
            Lane = lane.Name,
            Target = lane.Target,
            Comment = "read it back: the candidate's weight is 0",
            Command = $"curl --fail {identity} {url}",
        };
    }

    private static IEnumerable<UndoCommand> Fleet(Core.Rollouts.Rollout rollout, Core.Rollouts.Lane lane, FleetTarget fleet, Home home, string? controlPlane)
    {
        UndoCommand Command(string comment, string command) => new() { Lane = lane.Name, Target = lane.Target, Comment = comment, Command = command };

        if (controlPlane is null && fleet.Aws is null)
        {
            yield return Command(
                $"devices are told by the plane inside the server: start it, and ota rollback returns them to {lane.Fallback}; until then they keep what they have",
                $"ota serve --home {Quoted(home.Root)}");
            yield break;
        }
        var prefixes = IotFleet.JobPrefixes(lane.Order(rollout, rollout.Revision));
        yield return fleet.Aws is { } place ? Command("the account's credentials must be those of who may make and cancel jobs", $"export AWS_DEFAULT_REGION={place.Region}") : Command(
            "how the device plane inside the server is reached: it must run (ota serve)",
            $"export AWS_SHARED_CREDENTIALS_FILE={Quoted(home.ControlPlaneProfile)} AWS_CA_BUNDLE={Quoted(Path.Combine(home.Pki, "server-ca.crt"))} AWS_ENDPOINT_URL_IOT={Quoted(controlPlane!)} AWS_DEFAULT_REGION={ControlPlaneKey.Open(home).Region}");
        yield return Command(
            "withdraw what is queued; what has begun ends by itself",
            $"for job in $(aws iot list-jobs --status IN_PROGRESS --query \"jobs[?{string.Join(" || ", prefixes.Select(one => $"starts_with(jobId,'{one}')"))}].jobId\" --output text); do aws iot cancel-job --job-id \"$job\"; done");
        if (lane.Fallback.Image is { } twin)
        {
            yield return Command(
                "what AWS IoT is still making comes later: while this names any, wait, and withdraw once more",
                $"aws iot list-ota-updates --ota-update-status CREATE_PENDING --query \"otaUpdates[?{string.Join(" || ", prefixes.Select(one => $"starts_with(otaUpdateId,'{OtaUpdateUndo.UpdateOf(one)}')"))}].otaUpdateId\" --output text");
            yield return Command($"offer the fleet {lane.Fallback} again, under the version {twin.Version} that its devices do not refuse", OtaUpdateUndo.Command(prefixes[0], fleet.Fleet, fleet.Aws!.FirmwareBucket, fleet.Aws.PresignRoleArn, twin, Quoted));
        }
        else
        {
            yield return Command(
                $"send every device that runs {string.Join(" or ", (lane.Predecessors ?? []).Select(before => before.Release).Prepend(lane.Candidate.ToString()))} back to {lane.Fallback}; the document was signed beforehand",
                $"aws iot create-job --job-id {prefixes[0]}undo --target-selection SNAPSHOT --targets \"$(aws iot describe-thing-group --thing-group-name {Quoted(fleet.Fleet)} --query thingGroupArn --output text)\" --document {Quoted(lane.Fallback.Document!)}{(fleet.Aws is null ? "" : $" --presigned-url-config roleArn={Quoted(fleet.Aws.PresignRoleArn)}")}");
        }
        yield return Command("count who has not come back yet", $"aws iot describe-job --job-id {prefixes[0]}undo --query job.jobProcessDetails");
    }
}
