using System.CommandLine;
using System.CommandLine.Parsing;

namespace OtaOrchestrator.Simulator.Attack;

/// <summary><c>ota-sim forge</c>: what somebody can do who stole the control plane's credentials, but not the release key.</summary>
internal static class ForgeCommand
{
    public static Command Create()
    {
        var controlPlane = new Option<Uri>("--control-plane") { Description = "Its address, https://HOST:PORT.", Required = true, CustomParser = Address };
        var ca = new Option<FileInfo>("--ca") { Description = "Authority of its certificate, PEM.", Required = true }.AcceptExistingOnly();
        var credentials = new Option<FileInfo>("--credentials") { Description = "The stolen ones: JSON with accessKeyId, secretAccessKey, region.", Required = true }.AcceptExistingOnly();
        var fleet = new Option<string>("--fleet") { Description = "The fleet's thing group.", Required = true };
        var hardware = new Option<string>("--hardware") { Description = "What the image claims to be for.", Required = true };
        var release = new Option<string>("--release") { Description = "What the image claims to be, name@version.", Required = true };
        var report = new Option<FileInfo>("--report") { Description = "Written when the job is in the fleet: {job, digest}.", Required = true };
        var command = new Command("forge", "Offer a fleet an image that is signed with a key of one's own, past the server.") { controlPlane, ca, credentials, fleet, hardware, release, report };
        command.SetAction((parsed, cancellation) => Forgery.CommitAsync(
            parsed.GetRequiredValue(controlPlane), parsed.GetRequiredValue(ca).FullName, parsed.GetRequiredValue(credentials).FullName,
            parsed.GetRequiredValue(fleet), parsed.GetRequiredValue(hardware), parsed.GetRequiredValue(release), parsed.GetRequiredValue(report).FullName, cancellation));
        return command;
    }

    private static Uri? Address(ArgumentResult result)
    {
        if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var address) && address.Scheme == Uri.UriSchemeHttps)
        {
            return address;
        }
        result.AddError($"--control-plane: '{result.Tokens[0].Value}' is not an https address");
        return null;
    }
}
