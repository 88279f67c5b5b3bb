using System.Reflection;
using Grpc.Core;
using OtaOrchestrator.Protocol.V1;
using OtaOrchestrator.Server.Api;
using OtaOrchestrator.Server.Errors;
using OtaOrchestrator.Server.Hosting;

namespace OtaOrchestrator.Server.Audit;

/// <summary>Checks an environment, and says who is asked here and who asks.</summary>
public sealed class AuditService(ConsistencyCheck check, ServerAddresses addresses) : Protocol.V1.Audit.AuditBase
{
    /// <summary>One check at a time: it reads all there is.</summary>
    private static readonly SemaphoreSlim Turn = new(1, 1);

    public override async Task<CheckConsistencyResponse> CheckConsistency(CheckConsistencyRequest request, ServerCallContext context)
    {
        var environment = ResourceNames.Parent(request.Parent);
        if (!await Turn.WaitAsync(TimeSpan.FromSeconds(30), context.CancellationToken))
        {
            throw new RefusedException(ErrorReason.Overloaded, "another check is under way");
        }
        try
        {
            var report = await check.RunAsync(environment, context.CancellationToken) ?? throw RefusedException.NotFound(request.Parent);
            var answer = new CheckConsistencyResponse { Rollouts = report.Rollouts, Entries = report.Entries, Devices = report.Devices, Effects = report.Effects };
            answer.Findings.AddRange(report.Findings.Select(finding => new Finding
            {
                Kind = finding.Kind, Subject = finding.Subject, Expected = finding.Expected, Found = finding.Found, Hint = finding.Hint,
            }));
            return answer;
        }
        finally
        {
            Turn.Release();
        }
    }

    public override Task<ServerInfo> GetServerInfo(GetServerInfoRequest request, ServerCallContext context) => Task.FromResult(new ServerInfo
    {
        Version = Assembly.GetExecutingAssembly().GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0",
        Actor = context.Actor().Name,
        MqttEndpoint = addresses.Mqtt,
        FirmwareEndpoint = addresses.Firmware,
        ControlPlaneEndpoint = addresses.ControlPlane ?? "",
        StartId = addresses.StartId,
    });
}
