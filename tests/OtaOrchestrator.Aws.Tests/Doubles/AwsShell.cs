using System.Diagnostics;

namespace OtaOrchestrator.Aws.Tests.Doubles;

/// <summary>A shell as a person has it who takes something back by hand: AWS's own command line, and the account's key.</summary>
internal static class AwsShell
{
    /// <returns>What it said. A command that fails is a failure of the test.</returns>
    public static async Task<string> RunAsync(AwsDoubles aws, string service, string script)
    {
        // Debian's command line is older than the variable for an endpoint.
        script = script.Replace($"aws {service} ", $"aws --endpoint-url {aws.Url} {service} ", StringComparison.Ordinal);
        using var shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-e", "-c", script])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["AWS_ACCESS_KEY_ID"] = "AKIDSOMEBODY", ["AWS_SECRET_ACCESS_KEY"] = "somebody-secret", ["AWS_DEFAULT_REGION"] = "eu-central-1", ["AWS_PAGER"] = "", ["AWS_EC2_METADATA_DISABLED"] = "true",
            },
        })!;
        var (output, error) = (shell.StandardOutput.ReadToEndAsync(), shell.StandardError.ReadToEndAsync());
        await shell.WaitForExitAsync();
        Assert.True(shell.ExitCode == 0, $"{script}\n{await output}\n{await error}");
        return await output;
    }

    public static string Quoted(string text) => "'" + text.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
}
