using OtaOrchestrator.Server.Hosting;

namespace OtaOrchestrator.Server.Tests.Hosting;

public sealed class ServerOptionsTests
{
    [Theory]
    [InlineData("--listen", "--listen wants a value")]
    [InlineData("--listen nonsense", "is not HOST:PORT")]
    [InlineData("--listen 127.0.0.1", "is not HOST:PORT")]
    [InlineData("--mqtt 127.0.0.1:99999", "is not HOST:PORT")]
    [InlineData("--colour red", "--colour is not known")]
    [InlineData("operator issue ../admin", "is not a name")]
    [InlineData("operator issue orchestrator", "is this server's own name")]
    public void Arguments_that_make_no_sense_are_refused(string arguments, string problem)
    {
        var (options, said) = ServerOptions.Parse(arguments.Split(' '));
        Assert.Null(options);
        Assert.Contains(problem, said, StringComparison.Ordinal);
    }

    [Fact]
    public void With_nothing_given_the_embedded_stack_starts_on_loopback_and_the_control_plane_is_closed()
    {
        var options = ServerOptions.Parse([]).Options!;
        Assert.Equal(("127.0.0.1:8443", "127.0.0.1:8883", "127.0.0.1:8444"), (options.Listen.ToString(), options.Mqtt.ToString(), options.Firmware.ToString()));
        Assert.Null(options.ControlPlane);
    }
}
