using Amazon.IdentityManagement;
using Amazon.IdentityManagement.Model;

namespace OtaOrchestrator.Aws.Controls;

/// <summary>What a role may do, as IAM has it.</summary>
/// <param name="Policies">Name and version (<c>inline</c> for one of its own), as evidence.</param>
/// <param name="InExcess">What none of the shipped policies allows.</param>
/// <param name="Complete">False when there were more policies than are read.</param>
public sealed record RolePoliciesReading(DateTimeOffset ReadAt, string RoleArn, IReadOnlyList<(string Name, string Version)> Policies, IReadOnlyList<ExcessPermission> InExcess, bool Complete);

/// <param name="Action">As written: <c>s3:*</c>; <c>NotAction</c> for a statement that names what is not meant.</param>
/// <param name="Resource">As written; <c>NotResource</c> for a statement that names what is not meant.</param>
public sealed record ExcessPermission(string Policy, string Action, string Resource);

/// <summary>The policies of a role, its own and those that are attached, compared with those that the product ships.</summary>
public sealed class RolePolicies(IAmazonIdentityManagementService iam, TimeProvider time)
{
    /// <summary>The role, and who may take it on (a policy document).</summary>
    /// <exception cref="NoSuchEntityException">There is no such role.</exception>
    public async Task<(string Arn, string Trust)> RoleAsync(string role, CancellationToken cancellation)
    {
        var found = (await iam.GetRoleAsync(new GetRoleRequest { RoleName = role }, cancellation)).Role;
        return (found.Arn, Uri.UnescapeDataString(found.AssumeRolePolicyDocument ?? ""));
    }

    /// <exception cref="NoSuchEntityException">There is no such role.</exception>
    public async Task<RolePoliciesReading> ReadAsync(string role, CancellationToken cancellation)
    {
        var readAt = time.GetUtcNow();
        var (arn, _) = await RoleAsync(role, cancellation);
        List<(string Name, string Version)> policies = [];
        List<ExcessPermission> excess = [];
        var (attached, allAttached) = await Pages.AllAsync(async next =>
        {
            var page = await iam.ListAttachedRolePoliciesAsync(new ListAttachedRolePoliciesRequest { RoleName = role, Marker = next }, cancellation);
            return (page.AttachedPolicies, page.IsTruncated == true ? page.Marker : null);
        });
        foreach (var one in attached)
        {
            var version = (await iam.GetPolicyAsync(new GetPolicyRequest { PolicyArn = one.PolicyArn }, cancellation)).Policy.DefaultVersionId;
            var document = (await iam.GetPolicyVersionAsync(new GetPolicyVersionRequest { PolicyArn = one.PolicyArn, VersionId = version }, cancellation)).PolicyVersion.Document;
            Add(one.PolicyName, version, document);
        }

        var (own, allOwn) = await Pages.AllAsync(async next =>
        {
            var page = await iam.ListRolePoliciesAsync(new ListRolePoliciesRequest { RoleName = role, Marker = next }, cancellation);
            return (page.PolicyNames, page.IsTruncated == true ? page.Marker : null);
        });
        foreach (var name in own)
        {
            Add(name, "inline", (await iam.GetRolePolicyAsync(new GetRolePolicyRequest { RoleName = role, PolicyName = name }, cancellation)).PolicyDocument);
        }

        return new RolePoliciesReading(readAt, arn, policies, excess, allAttached && allOwn);

        void Add(string name, string version, string document)
        {
            policies.Add((name, version));
            excess.AddRange(InExcess(name, PolicyStatement.Parse(Uri.UnescapeDataString(document))));
        }
    }

    private static IEnumerable<ExcessPermission> InExcess(string policy, IEnumerable<PolicyStatement> statements) =>
        from statement in statements
        from action in statement.Actions.DefaultIfEmpty("NotAction")
        from resource in statement.Resources.DefaultIfEmpty("NotResource")
        where !ShippedPolicies.Cover(action, resource)
        select new ExcessPermission(policy, action, resource);
}
