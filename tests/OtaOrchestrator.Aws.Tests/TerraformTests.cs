using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace OtaOrchestrator.Aws.Tests;

/// <summary>What sets an account up, checked by HashiCorp's own parser and formatter. Terraform itself, and the provider's schema, are not to be had without a network.</summary>
public sealed class TerraformTests
{
    private static readonly string Root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Source())!, "..", ".."));

    [Fact]
    public async Task It_parses_is_formatted_and_every_name_and_policy_is_there()
    {
        var (code, said) = await CheckAsync(Path.Combine(Root, "deploy", "terraform"));
        Assert.True(code == 0, said);
        Assert.Equal("", said);
    }

    [Theory]
    [Trait("Gate", "Full")]
    [InlineData("trail.tf", "is_multi_region_trail         = true", "is_multi_region_trail = true", "trail.tf is not formatted as terraform fmt would")]
    [InlineData("trail.tf", "resource \"aws_cloudtrail\" \"this\" {", "resource \"aws_cloudtrail\" {{", "trail.tf does not parse")]
    [InlineData("trail.tf", "name                          = var.name", "name                          = var.title", "trail.tf uses var.title, which nobody declares")]
    [InlineData("outputs.tf", "aws_iot_policy.device.name", "aws_iot_policy.thing.name", "outputs.tf uses aws_iot_policy.thing, which nobody declares")]
    [InlineData("devices.tf", "data.aws_region.this.name", "data.aws_place.this.name", "devices.tf uses data.aws_place.this, which nobody declares")]
    [InlineData("orchestrator.tf", "    cloudtrail = templatefile(\"${path.module}/../iam/cloudtrail.json\", local.account)\n", "", "iam/cloudtrail.json is filled in by nobody")]
    [InlineData("orchestrator.tf", "      code_bucket = bucket\n", "", "iam/lambda.json wants code_bucket, which is not given")]
    [InlineData("orchestrator.tf", "/../iam/lambda.json", "/../iam/lambdas.json", "there is no ../iam/lambdas.json")]
    [InlineData("firmware.tf", "days = var.firmware_retention_days", "days = 30", "var.firmware_retention_days is used by nobody")]
    public async Task What_is_wrong_is_found(string file, string text, string instead, string finding)
    {
        var copy = Directory.CreateTempSubdirectory("ota-terraform-");
        try
        {
            foreach (var original in Directory.EnumerateFiles(Path.Combine(Root, "deploy"), "*", SearchOption.AllDirectories))
            {
                var there = Path.Combine(copy.FullName, Path.GetRelativePath(Path.Combine(Root, "deploy"), original));
                Directory.CreateDirectory(Path.GetDirectoryName(there)!);
                File.Copy(original, there);
            }

            var changed = Path.Combine(copy.FullName, "terraform", file);
            var before = await File.ReadAllTextAsync(changed);
            await File.WriteAllTextAsync(changed, before.Replace(text, instead, StringComparison.Ordinal));
            var (code, said) = await CheckAsync(Path.Combine(copy.FullName, "terraform"));
            Assert.NotEqual(before, await File.ReadAllTextAsync(changed));
            Assert.Equal(1, code);
            Assert.Contains(finding, said, StringComparison.Ordinal);
        }
        finally
        {
            copy.Delete(recursive: true);
        }
    }

    private static async Task<(int Code, string Said)> CheckAsync(string folder)
    {
        using var check = Process.Start(new ProcessStartInfo("node", [Path.Combine(Root, "tests", "Terraform", "check.js"), folder]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (check.StandardOutput.ReadToEndAsync(), check.StandardError.ReadToEndAsync());
        await check.WaitForExitAsync();
        return (check.ExitCode, await output + await error);
    }

    private static string Source([CallerFilePath] string source = "") => source;
}
