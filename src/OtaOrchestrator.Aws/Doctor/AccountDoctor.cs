using System.Runtime.CompilerServices;
using Amazon.SecurityToken.Model;
using OtaOrchestrator.Aws.Clients;
using OtaOrchestrator.Aws.Controls;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.Doctor;

/// <summary>
/// Looks at an account of AWS with the server's own credentials and says what is missing for its targets: identity, permissions, what the targets name, and what keeps the account honest.
/// Nothing is written, and nothing is tried that changes anything.
/// </summary>
public sealed class AccountDoctor(AwsClients aws, TimeProvider time)
{
    private const string Account = "account";

    /// <summary>What is worth a person's look: the rest is for the account's owner.</summary>
    private const string Severity = "HIGH";

    /// <summary>Policies that every target needs.</summary>
    private static readonly string[] Everywhere = ["cloudwatch", "cloudtrail", "controls"];

    /// <summary>Made when it is needed: without a region there is no client.</summary>
    private RolePolicies Roles => new(aws.IdentityManagement(), time);

    /// <summary>How long all questions together may take; what was not answered by then is unknown.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Findings in the order in which they are best mended; the first says who the server is, and without it there is no other.</summary>
    public async IAsyncEnumerable<AccountFinding> ExamineAsync(IReadOnlyList<Examined> targets, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(Patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        Caller? caller = null;
        yield return await Identity(found => caller = found).AnswerAsync(both.Token, cancellation);
        if (caller is null)
        {
            yield break;
        }

        var regions = targets.Select(target => Region(target.Region)).Append(Region("")).Where(region => region.Length > 0).Distinct(StringComparer.Ordinal).ToList();
        var questions = PermissionQuestions(caller, targets, both.Token).Concat(targets.SelectMany(new TargetQuestions(aws, time).Of)).Concat(AccountQuestions(caller)).Concat(regions.SelectMany(RegionQuestions));
        // All at once, so that one service which is slow is waited for once; the clients' budgets keep them from being many.
        var answers = questions.Select(question => question.AnswerAsync(both.Token, cancellation)).ToList();
        try
        {
            foreach (var answer in answers)
            {
                yield return await answer;
            }
        }
        finally
        {
            await limit.CancelAsync();
            await Task.WhenAll(answers.Cast<Task>()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private Question Identity(Action<Caller> found) => new("CREDENTIALS", Account, "sts:GetCallerIdentity", null, async (question, cancellation) =>
    {
        try
        {
            var caller = Caller.Of(await aws.SecurityToken("").GetCallerIdentityAsync(new GetCallerIdentityRequest(), cancellation));
            found(caller);
            return caller.Role is null
                ? question.Advice($"account {caller.Account} as {caller.Arn}, which is no role: its keys last until somebody takes them away", "run the server with a role (aws_iam_role.orchestrator in deploy/terraform)")
                : question.Ok($"account {caller.Account} as {caller.Arn}");
        }
        catch (Exception nobody) when (AwsFailures.IsOutage(nobody) || AwsFailures.IsDenial(nobody) || nobody is TargetException)
        {
            return question.Missing($"AWS does not know who this server is: {nobody.Message}", "give it a role of its machine or its task, a profile or AWS_ACCESS_KEY_ID, and a region in AWS_REGION");
        }
    });

    private IEnumerable<Question> PermissionQuestions(Caller caller, IReadOnlyList<Examined> targets, CancellationToken cancellation)
    {
        // The ARN of a session has lost the role's path. All ask for the same, so it is asked once.
        var principal = new Lazy<Task<string>>(async () => caller.Role is { } role ? (await Roles.RoleAsync(role, cancellation)).Arn : caller.Arn);
        foreach (var policy in Everywhere)
        {
            yield return Granted(caller, principal, Account, policy, Region(""), []);
        }

        foreach (var target in targets)
        {
            yield return Granted(caller, principal, target.Name, target.Policy, Region(target.Region), target.Values);
        }

        if (caller.Role is { } role)
        {
            yield return new Question("PERMISSIONS_IN_EXCESS", Account, "iam:GetPolicyVersion", null, async (question, cancellation) =>
            {
                var reading = await Roles.ReadAsync(role, cancellation);
                return reading.InExcess is [var first, ..]
                    ? question.Advice($"{reading.InExcess.Count} grants of {role} are in no shipped policy; {first.Policy} has {first.Action} on {first.Resource}", "take out what the server does not need: deploy/iam has what it does")
                    : !reading.Complete ? question.Unknown($"{role} has more policies than are read", "")
                    : question.Ok($"{role} is granted nothing that the server does not need, in {reading.Policies.Count} policies");
            });
        }
    }

    private Question Granted(Caller caller, Lazy<Task<string>> principal, string subject, string policy, string region, IEnumerable<KeyValuePair<string, string>> values) =>
        new Question("PERMISSIONS", subject, "iam:SimulatePrincipalPolicy", null, async (question, cancellation) =>
        {
            var known = new Dictionary<string, string>(values) { ["partition"] = caller.Partition, ["account"] = caller.Account, ["region"] = region };
            var (missing, notAsked) = await new Permissions(aws.IdentityManagement()).LookAsync(await principal.Value, policy, known, cancellation);
            return missing.Count > 0 ? question.Missing($"not granted: {string.Join(", ", missing.Distinct())}", Question.Attach(policy))
                : question.Ok($"what {policy}.json grants is granted" + (notAsked.Count > 0 ? $"; not asked, for its place is not known here: {string.Join(", ", notAsked)}" : ""));
        });

    private IEnumerable<Question> AccountQuestions(Caller caller) =>
    [
        new Question("PUBLIC_ACCESS", Account, "s3:GetAccountPublicAccessBlock", null, async (question, cancellation) =>
        {
            var open = (await new PublicAccess(aws.S3Control(""), aws.S3(""), time).OfAccountAsync(caller.Account, cancellation)).Open;
            return open.Count == 0 ? question.Ok("no bucket of the account can become public")
                : question.Missing($"buckets can become public: {string.Join(", ", open)} off for the account", $"aws s3control put-public-access-block --account-id {caller.Account} --public-access-block-configuration {string.Join(',', open.Select(name => name + "=true"))}");
        }),
    ];

    private IEnumerable<Question> RegionQuestions(string region) =>
    [
        new Question("TRAIL", region, "cloudtrail:DescribeTrails", null, async (question, cancellation) =>
        {
            var reading = await new Trails(aws.CloudTrail(region), time).ReadAsync(cancellation);
            const string Remedy = "deploy/terraform/trail.tf";
            return reading.Recorded ? question.Ok($"{reading.Trails.First(trail => trail.Gaps.Count == 0).Name} records all regions, and shows if it is changed")
                : reading.Trails is [var first, ..] ? question.Missing($"{first.Name}: {string.Join("; ", first.Gaps)}", Remedy)
                : question.Missing("no trail records what is done in the account", Remedy);
        }),
        new Question("SECURITY_HUB", region, "securityhub:GetFindings", null, async (question, cancellation) =>
        {
            var reading = await new HubFindings(aws.SecurityHub(region), time).ReadAsync(Severity, since: null, cancellation);
            return !reading.Enabled ? question.Advice("Security Hub is off", "aws securityhub enable-security-hub")
                : reading.Findings is [var first, ..] ? question.Advice($"{Count(reading.Findings.Count, reading.Complete)} open findings of severity {Severity} or worse; {first.Title} ({first.Resource}) is one", "mend or suppress them in Security Hub")
                : question.Ok($"no open finding of severity {Severity} or worse");
        }),
        new Question("OPEN_ACCESS", region, "access-analyzer:ListFindings", null, async (question, cancellation) =>
        {
            var reading = await new OpenAccess(aws.AccessAnalyzer(region), time).ReadAsync(cancellation);
            return reading.Analyzers.Count == 0 ? question.Advice("nobody looks for what is open to others", "aws accessanalyzer create-analyzer --analyzer-name account --type ACCOUNT")
                : reading.Findings is [var first, ..] ? question.Advice($"{Count(reading.Findings.Count, reading.Complete)} things are open to others; {first.Resource} is one", "archive what is meant, close the rest")
                : !reading.Complete ? question.Unknown("there are more analyzers than are read", "")
                : question.Ok("nothing is open to others");
        }),
    ];

    private string Region(string region) => region.Length > 0 ? region : aws.Region;

    private static string Count(int count, bool complete) => complete ? $"{count}" : $"{count} and more";
}
