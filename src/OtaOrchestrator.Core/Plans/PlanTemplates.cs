namespace OtaOrchestrator.Core.Plans;

/// <summary>What a first plan is about.</summary>
public enum PlanTemplate
{
    /// <summary>A lane and nothing else.</summary>
    Smallest,
    Traffic,
    Fleet,

    /// <summary>A back end and the devices that need it.</summary>
    Both,
}

/// <summary>Plan files to start from. Each is valid as it stands.</summary>
public static class PlanTemplates
{
    public static string Init(PlanTemplate template) => template switch
    {
        PlanTemplate.Smallest =>
            Head("thermostat-autumn") +
            """
            lanes:                            # everything else comes from the environment: ota plan explain
            - { target: thermostats, release: thermostat-fw@2.4.0 }

            """,
        PlanTemplate.Traffic => Head("api-autumn") + "lanes:\n" + TrafficLane,
        PlanTemplate.Fleet => Head("firmware-autumn") + "lanes:\n" + FleetLane + Tail,
        PlanTemplate.Both => Head("thermostat-autumn") + "lanes:                            # run in this order, undone in the reverse one\n" + TrafficLane
            + FleetLane.Replace("  steps:", "  needs: [thermostat-api >= 5]    # the only source of the undo order\n  steps:", StringComparison.Ordinal) + Tail,
        _ => throw new ArgumentOutOfRangeException(nameof(template)),
    };

    private static string Head(string name) => $"apiVersion: ota/v1\nkind: Plan\nname: {name}\n";

    private const string TrafficLane =
        """
        - name: api
          target: thermostat-api          # logical: the environment says what it is there
          release: thermostat-api@5.1.0   # pinned to a digest when the rollout is created
          steps:                          # cumulative
          - { share: 0% }
          - { share: 5%, bakeMin: 30m, requestsMin: 2000 }
          - { share: 25%, bakeMin: 30m, requestsMin: 2000 }
          - { share: 100%, bakeMin: 30m }
          guardAfter: 24h
          checks:
          - { name: errors, source: router, errorsMax: 1%, samplesMin: 200 }

        """;

    private const string FleetLane =
        """
        - name: firmware
          target: thermostats
          release: thermostat-fw@2.4.0
          fallback: thermostat-fw@2.3.1   # what the devices run now when left out
          steps:
          - { group: lab, bakeMin: 2h, confirmedMin: 20 }
          - { share: 10%, bakeMin: 12h, approval: managers-2 }
          - { share: 100%, bakeMin: 12h }
          checks:
          - { name: install, source: devices, failuresMax: 2%, silentAfter: 30m }

        """;

    private const string Tail =
        """
        judge: { falseAbortMax: 1%, noData: hold, unhealthy: rollback }
        rollback: { untilAfter: 72h }

        """;
}
