using System.CommandLine;

namespace OtaOrchestrator.Cli.Commands;

/// <summary>Arguments and options that several commands take in the same form.</summary>
internal static class Arguments
{
    public static Argument<string> Rollout() => new("rollout") { Description = "The rollout's name." };

    public static Argument<string?> RolloutOrNewest() => new("rollout")
    {
        Description = "The rollout's name; the environment's newest when left out.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public static Argument<string> Release() => new("release") { Description = "name@version" };

    public static Option<string?> Reason(string description = "Why; goes on record.") => new("--reason") { Description = description, HelpName = "TEXT" };

    public static Option<string> RequiredReason() => new("--reason") { Description = "Why; goes on record.", HelpName = "TEXT", Required = true };

    public static Option<bool> Wait(string description) => new("--wait") { Description = description };

    /// <summary>The same for every repetition of one request, so that a lost answer does no harm.</summary>
    public static string NewRequestId() => Guid.NewGuid().ToString("N");
}
