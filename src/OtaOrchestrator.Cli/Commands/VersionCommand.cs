using System.CommandLine;
using System.Reflection;
using System.Text.Json.Serialization;
using Grpc.Core;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Commands;

internal static class VersionCommand
{
    public static string OfClient { get; } =
        typeof(VersionCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    public static Command Create(CliHost host)
    {
        var client = new Option<bool>("--client") { Description = "Don't ask the server." };
        return new Command("version", "Versions of this program and of the server, and who you are to it.") { client }.Does(host, async session =>
        {
            ServerInfo? server = null;
            if (!session.Get(client))
            {
                try
                {
                    server = await session.Api.Audit.GetServerInfoAsync(new GetServerInfoRequest(),
                        deadline: host.Time.GetUtcNow().UtcDateTime.AddSeconds(3), cancellationToken: session.Cancellation);
                }
                catch (Exception failure) when (failure is RpcException or CliFailure)
                {
                    session.Report.Note("the server can't be reached");
                }
            }
            session.Report.Answer(new Versions(OfClient, server?.Version, server?.Actor, server?.StartId), VersionJson.Default.Versions, () =>
                server is null ? [$"ota {OfClient}"] : [$"ota {OfClient}", $"server {server.Version}, you are {server.Actor}"]);
            return ExitCode.Ok;
        });
    }
}

internal sealed record Versions(string Client, string? Server, string? Actor, string? StartId);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(Versions))]
internal sealed partial class VersionJson : JsonSerializerContext;
