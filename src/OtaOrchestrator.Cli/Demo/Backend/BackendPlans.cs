namespace OtaOrchestrator.Cli.Demo.Backend;

/// <summary>The scenario's plans: as anybody would write them, with bakes of seconds instead of hours.</summary>
internal static class BackendPlans
{
    private const string Errors = "{ name: errors, source: router, against: baseline, ratioMax: 1.25, samplesMin: 200, interval: 250ms }";
    private const string Latency = "{ name: latency, source: router, metric: latency, against: baseline, ratioMax: 3, samplesMin: 200, interval: 250ms }";

    /// <summary>Staged and tested with nobody on it, then everybody at once.</summary>
    public static string BlueGreen(string release) =>
        $$"""
        apiVersion: ota/v1
        kind: Plan
        name: blue-green
        lanes:
        - name: api
          target: {{Cast.Api}}
          release: {{Cast.Api}}@{{release}}
          steps:
          - { share: 0%, test: smoke, bakeMin: 1s }
          - { share: 100%, bakeMin: 3s, requestsMin: 1000 }
          checks:
          - { name: smoke, source: http, when: test, url: "{candidate}/healthz", interval: 250ms }
          - {{Errors}}
        rollback: { untilAfter: 1h }
        """;

    public static string Canary(string release) => Steps("canary", release, Errors,
        "{ share: 5%, bakeMin: 2s, requestsMin: 50 }", "{ share: 25%, bakeMin: 2s, requestsMin: 200 }", "{ share: 100%, bakeMin: 2s, requestsMin: 1000 }");

    /// <summary>The orchestrator is lost in its first step; the router holds what it has also when the lease has run out.</summary>
    public static string Held(string release) => Steps("controller-loss", release, Errors,
        "{ share: 25%, bakeMin: 2s, requestsMin: 200 }", "{ share: 100%, bakeMin: 2s, requestsMin: 1000 }") + $"\n  leaseFor: {ControllerLossAct.Lease.TotalSeconds:0}s\n  onControllerLoss: hold";

    public static string Erring(string release) => Steps("more-errors", release, Errors, "{ share: 10%, bakeMin: 30s, requestsMin: 2000 }", "{ share: 100%, bakeMin: 2s }");

    public static string Slow(string release) => Steps("slower", release, Latency, "{ share: 10%, bakeMin: 30s, requestsMin: 2000 }", "{ share: 100%, bakeMin: 2s }");

    private static string Steps(string name, string release, string check, params string[] steps) =>
        $$"""
        apiVersion: ota/v1
        kind: Plan
        name: {{name}}
        rollback: { untilAfter: 1h }
        lanes:
        - name: api
          target: {{Cast.Api}}
          release: {{Cast.Api}}@{{release}}
          steps:
          {{string.Join("\n  ", steps.Select(step => "- " + step))}}
          checks:
          - {{check}}
        """;
}
