using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

/// <summary>The rollout that is meant when none is named.</summary>
internal static class NewestRollout
{
    private const int PagesMax = 20;

    public static async Task<string> NameOf(Session session, string? given) =>
        given is not null
            ? await ResourceName.InEnvironment(session, "rollouts", given)
            : (await Find(session, _ => true))?.Name
                ?? throw new CliFailure(ExitCode.Failure, $"there is no rollout in {await ResourceName.Context(session)}", "ota rollout start PLAN");

    /// <summary>The newest one of the context's environment that <paramref name="counts"/>, or null.</summary>
    public static async Task<Rollout?> Find(Session session, Func<Rollout, bool> counts)
    {
        var parent = await ResourceName.Context(session);
        Rollout? newest = null;
        var token = "";
        for (var page = 0; page < PagesMax; page++)
        {
            var request = new ListRolloutsRequest { Parent = parent, PageSize = 100, PageToken = token };
            var answer = await session.Api.Call((api, options) => api.Rollouts.ListRolloutsAsync(request, options), session.Cancellation);
            foreach (var rollout in answer.Rollouts.Where(counts))
            {
                if (newest is null || Created(rollout) > Created(newest))
                {
                    newest = rollout;
                }
            }
            token = answer.NextPageToken;
            if (token.Length == 0)
            {
                break;
            }
        }
        return newest;
    }

    private static DateTimeOffset Created(Rollout rollout) => rollout.CreateTime?.ToDateTimeOffset() ?? DateTimeOffset.MinValue;
}
