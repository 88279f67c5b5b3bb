using OtaOrchestrator.Cli.Commands;
using OtaOrchestrator.Core.Plans;

namespace OtaOrchestrator.Cli.Demo;

/// <summary>The demo's plans: as anybody would write them, with bakes of seconds instead of hours.</summary>
internal static class Plans
{
    /// <summary>Devices that a first wave has at least, about: fewer prove nothing, however ill they are.</summary>
    private const int FirstWaveMin = 12;

    public static Protocol.V1.Plan Of(string name, string api, string firmware, int devices) =>
        Read(Text(name, api, firmware, FirstWave(devices)));

    public static Protocol.V1.Plan Read(string text) => RolloutStartCommand.ToProto(PlanSource.Valid(PlanText.Parse(text)));

    /// <summary>A tenth of the fleet, more of a small one; percent.</summary>
    public static int FirstWave(int devices) => Math.Clamp((int)Math.Ceiling(100.0 * FirstWaveMin / Math.Max(1, devices)), 10, 40);

    public static string Text(string name, string api, string firmware, int firstWavePercent = 10) =>
        $$"""
        apiVersion: ota/v1
        kind: Plan
        name: {{name}}
        lanes:
        - name: api
          target: {{Cast.Api}}
          release: {{Cast.Api}}@{{api}}
          steps:
          - { share: 25%, bakeMin: 1s, requestsMin: 20 }
          - { share: 100%, bakeMin: 1s, requestsMin: 50 }
          checks:
          - { name: errors, source: router, errorsMax: 1%, samplesMin: 20, interval: 250ms }
        - name: firmware
          target: {{Cast.Fleet}}
          release: {{Cast.Firmware}}@{{firmware}}
          needs: [{{Cast.Api}} >= {{api}}]
          observeFor: 3s
          steps:
          - { share: {{firstWavePercent}}%, bakeMin: 2s, reach: 1 }
          - { share: 50%, bakeMin: 1s }
          - { share: 100%, bakeMin: 1s }
          checks:
          - { name: health, source: devices, failuresMax: 5%, silentAfter: 20s, interval: 250ms }
        rollback: { untilAfter: 1h, shares: [1], undoWait: 20s }
        """;

    /// <summary>For those who keep the demo: one lane, firmware that crash-loops.</summary>
    public static string Breaking =>
        $$"""
        apiVersion: ota/v1
        kind: Plan
        name: try-to-break-it
        lanes:
        - name: firmware
          target: {{Cast.Fleet}}
          release: {{Cast.Firmware}}@{{Cast.FirmwareCrashing}}
          observeFor: 3s
          steps:
          - { share: 10%, bakeMin: 2s, reach: 1 }
          - { share: 100%, bakeMin: 1s }
          checks:
          - { name: health, source: devices, failuresMax: 5%, silentAfter: 20s, interval: 250ms }
        """;
}
