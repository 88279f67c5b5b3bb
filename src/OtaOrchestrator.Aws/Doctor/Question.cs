using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Amazon.Runtime;
using OtaOrchestrator.Aws.Clients;
using OtaOrchestrator.Aws.Controls;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.Doctor;

/// <summary>One thing to look at, and how its answers read.</summary>
/// <param name="IfAbsent">What to do when there is no such thing; null where that is no answer.</param>
/// <param name="Ask">Makes the finding with this question's own <see cref="Ok"/>, <see cref="Advice"/> or <see cref="Missing"/>.</param>
internal sealed partial record Question(string Code, string Subject, string Asked, string? IfAbsent, Func<Question, CancellationToken, Task<AccountFinding>> Ask)
{
    public AccountFinding Ok(string text) => new(Code, AccountVerdict.Ok, Subject, Asked, text, "");

    public AccountFinding Advice(string text, string remedy) => new(Code, AccountVerdict.Advice, Subject, Asked, text, remedy);

    public AccountFinding Missing(string text, string remedy) => new(Code, AccountVerdict.Missing, Subject, Asked, text, remedy);

    public AccountFinding Unknown(string text, string remedy) => new(Code, AccountVerdict.Unknown, Subject, Asked, text, remedy);

    /// <summary>Asks; a denial, an account that does not answer in time, and a thing that is not there are answers too.</summary>
    /// <param name="limit">Ends with the caller, or when it took too long.</param>
    public async Task<AccountFinding> AnswerAsync(CancellationToken limit, CancellationToken caller)
    {
        try
        {
            return await Ask(this, limit);
        }
        catch (OperationCanceledException) when (!caller.IsCancellationRequested)
        {
            return Unknown("AWS did not answer in time: it may be throttling what the account asks", "ask again later");
        }
        catch (AmazonServiceException absent) when (IfAbsent is not null && IsAbsent(absent))
        {
            return Missing(absent.Message, IfAbsent);
        }
        catch (AmazonServiceException denial) when (AwsFailures.IsDenial(denial))
        {
            var action = Action().Match(denial.Message) is { Success: true } named ? named.Groups[1].Value : Asked;
            return Unknown($"AWS does not permit {action}: {denial.Message}", ShippedPolicies.Granting(action) is { } file ? Attach(file) : $"permit {action} to the server's role");
        }
        // What AWS answered is not what it should be, or nothing was answered at all.
        catch (Exception failure) when (AwsFailures.IsOutage(failure) || failure is TargetException or FormatException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return Unknown(failure.Message, "");
        }
    }

    /// <summary>How somebody gives the server a shipped policy.</summary>
    public static string Attach(string policy) => $"attach deploy/iam/{policy}.json to the server's role (deploy/terraform/orchestrator.tf)";

    /// <summary>Services say it in many words.</summary>
    private static bool IsAbsent(AmazonServiceException error) =>
        error.StatusCode == HttpStatusCode.NotFound || error.ErrorCode?.Contains("DoesNotExist", StringComparison.Ordinal) == true || error.ErrorCode?.StartsWith("NoSuch", StringComparison.Ordinal) == true;

    [GeneratedRegex(@"perform: ([a-z0-9-]+:\w+)", RegexOptions.CultureInvariant)]
    private static partial Regex Action();
}
