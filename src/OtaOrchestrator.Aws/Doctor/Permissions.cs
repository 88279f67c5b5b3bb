using Amazon.IdentityManagement;
using Amazon.IdentityManagement.Model;
using OtaOrchestrator.Aws.Controls;

namespace OtaOrchestrator.Aws.Doctor;

/// <summary>What of a shipped policy a principal is not granted, by IAM's own simulation: nothing of it is tried.</summary>
internal sealed class Permissions(IAmazonIdentityManagementService iam)
{
    /// <summary>Stands for any one name where a policy has a wildcard.</summary>
    private const string AnyName = "ota-doctor";

    /// <param name="principal">ARN of a role or a user.</param>
    /// <param name="values">What is filled in where the policy has <c>${name}</c>.</param>
    /// <returns>Actions that no resource of their statement is granted for, and those that were not asked because what they are for is not known here.</returns>
    public async Task<(IReadOnlyList<string> Missing, IReadOnlyList<string> NotAsked)> LookAsync(string principal, string policy, IReadOnlyDictionary<string, string> values, CancellationToken cancellation)
    {
        List<string> missing = [], notAsked = [];
        foreach (var statement in ShippedPolicies.All[policy].Select(statement => statement.With(values)))
        {
            var resources = statement.Resources.Where(resource => !PolicyStatement.Placeholder.IsMatch(resource)).ToList();
            if (resources.Count == 0)
            {
                notAsked.AddRange(statement.Actions);
                continue;
            }

            missing.AddRange(await DeniedAsync(principal, statement.Actions, resources, cancellation));
        }

        return (missing, notAsked);
    }

    /// <summary>Of the actions, those that are granted for none of the resources.</summary>
    public async Task<IEnumerable<string>> DeniedAsync(string principal, IReadOnlyList<string> actions, IReadOnlyList<string> resources, CancellationToken cancellation)
    {
        var (results, _) = await Pages.AllAsync(async next =>
        {
            var request = new SimulatePrincipalPolicyRequest
            {
                PolicySourceArn = principal,
                ActionNames = [.. actions],
                ResourceArns = resources is ["*"] ? null : [.. resources.Select(resource => resource.Replace("*", AnyName, StringComparison.Ordinal))],
                Marker = next,
            };
            var page = await iam.SimulatePrincipalPolicyAsync(request, cancellation);
            return (page.EvaluationResults, page.IsTruncated == true ? page.Marker : null);
        });
        return results.Where(result => !Granted(result)).Select(result => result.EvalActionName);
    }

    private static bool Granted(EvaluationResult result) => result.ResourceSpecificResults is { Count: > 0 } specific
        ? specific.Exists(one => one.EvalResourceDecision == PolicyEvaluationDecisionType.Allowed)
        : result.EvalDecision == PolicyEvaluationDecisionType.Allowed;
}
