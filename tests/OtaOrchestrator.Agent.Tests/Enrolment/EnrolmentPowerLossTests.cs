using OtaOrchestrator.Agent.Mqtt;
using OtaOrchestrator.Agent.Storage;

namespace OtaOrchestrator.Agent.Tests.Enrolment;

public sealed class EnrolmentPowerLossTests
{
    /// <summary>A name can be enrolled once; a device that loses its power in the middle must not lose its name.</summary>
    [Fact]
    public async Task Wherever_the_power_goes_a_device_enrols_afterwards_and_connects()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var bench = await FleetBench.StartAsync();
        var count = new EndingDisk(int.MaxValue);
        (await Enrol(await bench.OptionsAsync("whole"), count)).Dispose();
        int total = count.Effects;
        Assert.InRange(total, 10, 200);

        for (int end = 0; end < total; end++)
        {
            var options = await bench.OptionsAsync($"cut-{end}");
            var failed = await Assert.ThrowsAsync<PowerLossException>(() => Enrol(options, new EndingDisk(end)));
            using var identity = await Enrol(options, new Disk());
            Assert.Equal($"CN={options.Thing}", identity.Subject);
            try
            {
                await using var connection = await DeviceConnection.OpenAsync(options, options.Thing, identity, TimeProvider.System, cancellation);
            }
            catch (ConnectionException error)
            {
                Assert.Fail($"power lost before {failed.Message}: enrolled, but {error.Message}");
            }
        }
        Console.WriteLine($"covered {total}/{total} points of power loss in an enrolment");

        Task<System.Security.Cryptography.X509Certificates.X509Certificate2> Enrol(AgentOptions options, Disk disk) =>
            new Agent.Enrolment.Enrolment(options, disk, TimeProvider.System).EnrolAsync(cancellation);
    }

    /// <summary>Does so many effects and no more.</summary>
    private sealed class EndingDisk(int end) : Disk
    {
        public int Effects { get; private set; }

        protected override void Before(DiskEffect effect, string path)
        {
            if (Effects >= end)
            {
                throw new PowerLossException($"{effect} {Path.GetFileName(path)}");
            }
            Effects++;
        }
    }

    private sealed class PowerLossException(string before) : Exception(before);
}
