using System.Globalization;
using System.Text;
using Amazon.IoT;
using Amazon.Runtime;
using Microsoft.AspNetCore.Builder;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using OtaOrchestrator.EndToEnd.Tests.Installation;
using OtaOrchestrator.Protocol.V1;
using OtaOrchestrator.Server.Hosting;
using ProtoEnvironment = OtaOrchestrator.Protocol.V1.Environment;

namespace OtaOrchestrator.Benchmarks;

/// <summary>
/// Creating a rollout until it waits for its approval: checked, its impact analysed, its fleet prepared. Asked of AWS IoT and allocated for a million devices, against
/// the same for ten thousand.
/// </summary>
internal static class PlanningBenchmark
{
    private const int Few = 10_000;
    private const int Many = 1_000_000;
    private const string Parent = "environments/plan";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    public static async Task<IReadOnlyList<Result>> RunAsync()
    {
        var few = await MeasureAsync(Few);
        var many = await MeasureAsync(Many);
        return
        [
            new Result("planning for 1,000,000 devices, calls", "the same for 10,000", "calls", many.Calls, few.Calls, many.Calls / few.Calls, "<= 1", many.Calls <= few.Calls),
            new Result("planning for 1,000,000 devices, memory", "the same for 10,000", "MiB", many.Mebibytes, few.Mebibytes, many.Mebibytes / few.Mebibytes, "<= 1.2", many.Mebibytes <= 1.2 * few.Mebibytes),
        ];
    }

    private static async Task<(double Calls, double Mebibytes)> MeasureAsync(int devices)
    {
        var folder = Directory.CreateTempSubdirectory("ota-plan-");
        try
        {
            await using (var server = await StartAsync(folder.FullName))
            {
                using var connection = Connect(server, folder.FullName);
                await SetAsync(connection);
                await server.StopAsync();
            }
            Fill(Path.Combine(folder.FullName, "server", "device-plane.db"), devices);
            await using var filled = await StartAsync(folder.FullName);
            using var asked = Connect(filled, folder.FullName);
            long calls = 0;
            ((AmazonIoTClient)filled.Services.GetRequiredService<IAmazonIoT>()).BeforeRequestEvent += (_, _) => Interlocked.Increment(ref calls);
            List<double> counted = [];
            List<double> allocated = [];
            for (int round = 0; round < 4; round++)
            {
                Interlocked.Exchange(ref calls, 0);
                long before = GC.GetTotalAllocatedBytes(precise: true);
                var rollout = await asked.Rollouts.CreateRolloutAsync(new() { Parent = Parent, RolloutId = $"plan-{round.ToString(CultureInfo.InvariantCulture)}", Plan = Plan.Clone() });
                Assert.Equal(devices, rollout.Impact.Lanes[0].Devices);
                await Wait.UntilAsync(async () => (await asked.Rollouts.GetRolloutAsync(new() { Name = rollout.Name })).State == RolloutState.AwaitingApproval, Limit, () => "the fleet is not prepared");
                counted.Add(Interlocked.Read(ref calls));
                allocated.Add((GC.GetTotalAllocatedBytes(precise: true) - before) / 1024.0 / 1024);
                await asked.Rollouts.CancelRolloutAsync(new() { Name = rollout.Name });
            }
            await filled.StopAsync();
            // The first one loads code.
            return (Result.Median(counted.Skip(1)), Result.Median(allocated.Skip(1)));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static Protocol.V1.Plan Plan { get; } = new()
    {
        Name = "plan",
        Lanes =
        {
            new LanePlan
            {
                Name = "firmware", Target = Site.Fleet, Release = $"{Site.Firmware}@{Site.FirmwareNew}",
                Steps = { new StepPlan { Share = 0.01, Approval = "managers-1" }, new StepPlan { Share = 0.1 }, new StepPlan { Share = 0.5 }, new StepPlan { Share = 1 } },
            },
        },
    };

    private static async Task<WebApplication> StartAsync(string home)
    {
        var (options, problem) = ServerOptions.Parse(["--home", home, "--listen", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--firmware", "127.0.0.1:0"]);
        var server = ServerHost.Build(options ?? throw new InvalidOperationException(problem), TimeProvider.System);
        await server.StartAsync();
        ServerHost.Announce(server);
        return server;
    }

    private static Connection Connect(WebApplication server, string home) => new(home, server.Services.GetRequiredService<ServerAddresses>().Grpc);

    private static async Task SetAsync(Connection connection)
    {
        await connection.Environments.CreateEnvironmentAsync(new() { EnvironmentId = "plan", Environment = new ProtoEnvironment() });
        foreach (var version in (string[])[Site.FirmwareOld, Site.FirmwareNew])
        {
            var image = new FileInfo(Programs.Sample($"{Site.Firmware}-{version}.img"));
            await connection.PublishAsync(new Release { Name = $"releases/{Site.Firmware}@{version}", Firmware = new FirmwareRelease { Size = image.Length, Fleet = Site.Fleet } }, image);
        }
        await connection.Environments.CreateTargetAsync(new()
        {
            Parent = Parent, TargetId = Site.Fleet,
            Target = new Target { CurrentRelease = $"releases/{Site.Firmware}@{Site.FirmwareOld}", Fleet = new FleetTarget { Fleet = Site.Fleet, HardwareIds = { "thermo-a1" } } },
        });
    }

    /// <summary>Things as the device plane stores them, without a million enrolments.</summary>
    private static void Fill(string database, int devices)
    {
        using var connection = new SqliteConnection($"Data Source={database};Pooling=False");
        connection.Open();
        using var transaction = connection.BeginTransaction();
        using var insert = connection.CreateCommand();
        insert.CommandText = "INSERT INTO thing (key, body) VALUES ($key, $body)";
        var key = insert.Parameters.Add("$key", SqliteType.Text);
        var body = insert.Parameters.Add("$body", SqliteType.Blob);
        for (int i = 0; i < devices; i++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{Site.Fleet}-{i:0000000}");
            var cohort = string.Create(CultureInfo.InvariantCulture, $"{Site.Fleet}-c{Core.Plans.Cohorts.Of(name):00}");
            key.Value = name;
            body.Value = Encoding.UTF8.GetBytes($$"""{"name":"{{name}}","id":"{{name}}","version":1,"attributes":{},"groups":["{{Site.Fleet}}","{{cohort}}"],"fleet":"{{Site.Fleet}}","seenMs":0}""");
            insert.ExecuteNonQuery();
        }
        transaction.Commit();
    }
}
