namespace OtaOrchestrator.Aws.Doctor;

public enum AccountVerdict
{
    /// <summary>As it should be.</summary>
    Ok,

    /// <summary>Rollouts work; it should be looked at all the same.</summary>
    Advice,

    /// <summary>It could not be seen: a permission is missing, or AWS does not answer.</summary>
    Unknown,

    /// <summary>Rollouts will fail, or a control of the product can't be met, until it is there.</summary>
    Missing,
}

/// <summary>One thing that was looked at in an account.</summary>
/// <param name="Code">For scripts, for example <c>BUCKET_LOCK</c>; the same whatever was found.</param>
/// <param name="Subject">The target that needs it; <c>account</c> for what all need.</param>
/// <param name="Asked">The permission by which it was read, for example <c>s3:GetBucketObjectLockConfiguration</c>.</param>
/// <param name="Text">What AWS answered.</param>
/// <param name="Remedy">What to do; empty where nothing has to be done.</param>
public sealed record AccountFinding(string Code, AccountVerdict Verdict, string Subject, string Asked, string Text, string Remedy);
