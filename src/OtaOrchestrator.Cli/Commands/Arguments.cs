using System.CommandLine;
using System.Globalization;

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

    /// <summary>The option takes whole numbers from <paramref name="min"/> to <paramref name="max"/>.</summary>
    public static Option<int> Within(this Option<int> option, int min, int max)
    {
        option.Validators.Add(result =>
        {
            // What is not a number at all is refused by the parser itself.
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && (number < min || number > max))
            {
                result.AddError(string.Create(CultureInfo.InvariantCulture, $"{option.Name} is between {min} and {max}"));
            }
        });
        return option;
    }

    /// <summary>The same for every repetition of one request, so that a lost answer does no harm.</summary>
    public static string NewRequestId() => Guid.NewGuid().ToString("N");
}
