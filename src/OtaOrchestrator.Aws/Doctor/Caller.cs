using Amazon.SecurityToken.Model;

namespace OtaOrchestrator.Aws.Doctor;

/// <summary>Whom AWS takes the server for.</summary>
/// <param name="Partition">aws, aws-cn, aws-us-gov.</param>
/// <param name="Role">The name of the role that was taken on; null for a user.</param>
internal sealed record Caller(string Partition, string Account, string Arn, string? Role)
{
    /// <exception cref="FormatException">AWS has answered with something that is no ARN.</exception>
    public static Caller Of(GetCallerIdentityResponse identity)
    {
        // arn:aws:sts::111122223333:assumed-role/NAME/SESSION
        var parts = identity.Arn?.Split(':', 6) is { Length: 6 } six ? six : throw new FormatException($"{identity.Arn} is no ARN");
        var name = parts[5].Split('/');
        return new Caller(parts[1], identity.Account, identity.Arn, name is ["assumed-role", var role, _] ? role : null);
    }
}
