using Amazon.IoT;
using Amazon.IoT.Model;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;

namespace OtaOrchestrator.Aws.IoT.Adoption;

/// <summary>
/// Makes a fleet of things that an account has already: reads what is there, says what driving it would take, and does that: a group, a hundred cohorts, and each thing into the
/// group and its cohort. No device notices. What is there stays as it is, so that repeating does what is missing.
/// </summary>
public sealed class FleetAdoption(IAmazonIoT iot)
{
    private const int PageSize = 250;
    private const int SampleMax = 50;
    private const int VersionsMax = 100;

    /// <summary>Of AWS: groups that a thing may be in.</summary>
    private const int GroupsMax = 10;
    private readonly FleetIndex _index = new(iot);

    /// <param name="query">Of the fleet index: which things.</param>
    /// <param name="drive">Say what driving would take; otherwise nothing is looked for beyond what is shown.</param>
    /// <exception cref="TargetException">AWS refuses the query.</exception>
    public Task<FleetInventory> LookAsync(string fleet, string query, VersionSource version, bool drive, CancellationToken cancellation) => Refused(async () =>
    {
        var indexing = (await iot.GetIndexingConfigurationAsync(new GetIndexingConfigurationRequest(), cancellation)).ThingIndexingConfiguration;
        List<InventoryFinding> findings = [.. Findings(indexing, version)];
        if (findings.Exists(finding => finding.Code == "INDEX_OFF"))
        {
            return new FleetInventory(0, 0, new Dictionary<string, long>(), 0, 0) { Findings = findings };
        }

        long devices = await _index.CountAsync(query, cancellation);
        long connected = indexing!.ThingConnectivityIndexingMode == ThingConnectivityIndexingMode.STATUS ? await _index.CountAsync(FleetQuery.All(query, "connectivity.connected:true"), cancellation) : 0;
        var (versions, sampled) = version.IndexField is { } field
            ? ((await _index.BucketsAsync(query, field, VersionsMax, cancellation)).ToDictionary(bucket => bucket.Key, bucket => bucket.Count, StringComparer.Ordinal), 0L)
            : await SampleAsync(query, version, cancellation);
        long unknown = version.IndexField is { } known ? devices - await _index.CountAsync(FleetQuery.All(query, $"{known}:*"), cancellation) : sampled - versions.Values.Sum();
        if (devices == 0)
        {
            findings.Add(new InventoryFinding("NO_DEVICES", true, $"no thing is found by {query}", "name others with --query"));
        }

        if (unknown > 0)
        {
            findings.Add(new InventoryFinding("VERSION_UNKNOWN", version.IsAgent && unknown == devices, $"{unknown} of {(sampled > 0 ? sampled : devices)} devices do not say what they run ({version})", "say with --version-from where they do"));
        }

        var plan = drive ? await PlanAsync(fleet, query, findings, cancellation) : null;
        return new FleetInventory(devices, connected, versions, unknown, sampled) { Findings = findings, Calls = plan?.Calls() ?? [] };
    });

    /// <summary>Does what <see cref="LookAsync"/> has listed and is still missing.</summary>
    /// <param name="progress">Calls made, and calls in all.</param>
    /// <exception cref="TargetException">AWS refuses, or a thing can't be taken in.</exception>
    public Task<long> DriveAsync(string fleet, string query, Func<long, long, Task> progress, CancellationToken cancellation) => Refused(async () =>
    {
        List<InventoryFinding> findings = [];
        var plan = await PlanAsync(fleet, query, findings, cancellation);
        if (findings.Find(finding => finding.Blocks) is { } blocks)
        {
            throw new TargetException(blocks.Text);
        }

        long done = 0, all = plan.Groups.Count + plan.Memberships.Count;
        foreach (var (name, parent) in plan.Groups)
        {
            try
            {
                await iot.CreateThingGroupAsync(new CreateThingGroupRequest { ThingGroupName = name, ParentGroupName = parent }, cancellation);
            }
            catch (ResourceAlreadyExistsException)
            {
                // Made by an earlier call whose answer was lost.
            }

            await progress(++done, all);
        }

        foreach (var (thing, group) in plan.Memberships)
        {
            await iot.AddThingToThingGroupAsync(new AddThingToThingGroupRequest { ThingName = thing, ThingGroupName = group }, cancellation);
            await progress(++done, all);
        }

        return done;
    });

    /// <summary>The fleet's own groups: its members, and its cohorts under a group that holds them.</summary>
    private static IEnumerable<(string Name, string? Parent)> GroupsOf(string fleet) =>
        [(fleet, null), (Waves.CohortsOf(fleet), null), .. Enumerable.Range(0, Cohorts.Count).Select(cohort => (Waves.Cohort(fleet, cohort), (string?)Waves.CohortsOf(fleet)))];

    private static IEnumerable<InventoryFinding> Findings(ThingIndexingConfiguration? indexing, VersionSource version) => version.IsAgent
        ? IndexFindings.Of(indexing)
        : [.. IndexFindings.Of(indexing), new InventoryFinding("OTHER_AGENT", true, $"what devices run is read from {version}; whether an update did them good, nobody says", "such a fleet can be observed; it is driven by devices that report in the shadow ota")];

    private async Task<Plan> PlanAsync(string fleet, string query, List<InventoryFinding> findings, CancellationToken cancellation)
    {
        var there = await GroupsAsync(fleet, cancellation);
        List<(string Thing, string Group)> memberships = [];
        var (full, firstFull) = (0L, "");
        string? next = null;
        do
        {
            var page = await iot.SearchIndexAsync(new SearchIndexRequest { QueryString = query, MaxResults = PageSize, NextToken = next }, cancellation);
            foreach (var thing in page.Things ?? [])
            {
                var groups = thing.ThingGroupNames ?? [];
                List<string> missing = [];
                if (!groups.Contains(fleet))
                {
                    missing.Add(fleet);
                }

                if (!groups.Exists(group => Waves.IsCohort(fleet, group)))
                {
                    missing.Add(Waves.Cohort(fleet, Cohorts.Of(thing.ThingName)));
                }

                if (groups.Count + missing.Count > GroupsMax)
                {
                    (full, firstFull) = (full + 1, firstFull.Length == 0 ? thing.ThingName : firstFull);
                    continue;
                }

                memberships.AddRange(missing.Select(group => (thing.ThingName, group)));
            }

            next = page.NextToken;
        }
        while (!string.IsNullOrEmpty(next));
        if (full > 0)
        {
            findings.Add(new InventoryFinding("TOO_MANY_GROUPS", true, $"{full} things are in too many groups: AWS allows {GroupsMax}, and a fleet needs two of them; {firstFull} is one", "take them out of groups that nobody needs, or leave them out with --query"));
        }

        return new Plan([.. GroupsOf(fleet).Where(group => !there.Contains(group.Name))], memberships);
    }

    private async Task<HashSet<string>> GroupsAsync(string fleet, CancellationToken cancellation)
    {
        var there = new HashSet<string>(StringComparer.Ordinal);
        string? next = null;
        do
        {
            var page = await iot.ListThingGroupsAsync(new ListThingGroupsRequest { NamePrefixFilter = fleet, Recursive = true, MaxResults = PageSize, NextToken = next }, cancellation);
            there.UnionWith((page.ThingGroups ?? []).Select(group => group.GroupName));
            next = page.NextToken;
        }
        while (!string.IsNullOrEmpty(next));
        return there;
    }

    /// <summary>What some devices said in the status of their latest job.</summary>
    private async Task<(Dictionary<string, long> Versions, long Sampled)> SampleAsync(string query, VersionSource version, CancellationToken cancellation)
    {
        var versions = new Dictionary<string, long>(StringComparer.Ordinal);
        var things = (await iot.SearchIndexAsync(new SearchIndexRequest { QueryString = query, MaxResults = SampleMax }, cancellation)).Things ?? [];
        foreach (var thing in things)
        {
            var latest = (await iot.ListJobExecutionsForThingAsync(new ListJobExecutionsForThingRequest { ThingName = thing.ThingName, Status = JobExecutionStatus.SUCCEEDED, MaxResults = 1 }, cancellation)).ExecutionSummaries?.FirstOrDefault();
            if (latest is null)
            {
                continue;
            }

            var execution = (await iot.DescribeJobExecutionAsync(new DescribeJobExecutionRequest { JobId = latest.JobId, ThingName = thing.ThingName }, cancellation)).Execution;
            if (execution?.StatusDetails?.DetailsMap is { } details && details.TryGetValue(version.Name, out var runs))
            {
                versions[runs] = versions.GetValueOrDefault(runs) + 1;
            }
        }

        return (versions, things.Count);
    }

    private static async Task<T> Refused<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (AmazonIoTException refusal) when (refusal is InvalidRequestException or InvalidQueryException or InvalidAggregationException or ResourceNotFoundException or LimitExceededException or UnauthorizedException or IndexNotReadyException)
        {
            throw new TargetException(refusal.Message, refusal);
        }
    }

    private sealed record Plan(IReadOnlyList<(string Name, string? Parent)> Groups, IReadOnlyList<(string Thing, string Group)> Memberships)
    {
        public IReadOnlyList<PlannedCall> Calls() =>
        [
            .. Groups.Count == 0 ? Array.Empty<PlannedCall>() : [new PlannedCall("CreateThingGroup", Groups.Count, Groups[0].Name)],
            .. Memberships.Count == 0 ? Array.Empty<PlannedCall>() : [new PlannedCall("AddThingToThingGroup", Memberships.Count, $"{Memberships[0].Thing} to {Memberships[0].Group}")],
        ];
    }
}
