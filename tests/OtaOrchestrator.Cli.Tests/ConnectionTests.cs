using System.Text.Json;
using Grpc.Core;
using OtaOrchestrator.Cli.Tests.TestHost;
using OtaOrchestrator.Protocol.V1;

namespace OtaOrchestrator.Cli.Tests;

public sealed class ConnectionTests
{
    [Fact]
    public async Task Repeated_mutation_carries_the_same_request_id_when_the_answer_was_lost()
    {
        await using var server = await Autumn.Server();
        server.Scene.FailAfter.Enqueue(new RpcException(new Status(StatusCode.Unavailable, "connection reset")));
        var run = await Run.Ota(server, "rollout", "pause", Autumn.Name);
        Assert.Equal(0, run.ExitCode);
        var sent = server.Scene.Calls.Where(c => c.Method == "PauseRollout").Select(c => ((PauseRolloutRequest)c.Request).RequestId).ToList();
        Assert.Equal(2, sent.Count);
        Assert.NotEmpty(sent[0]);
        Assert.Equal(sent[0], sent[1]);
        // Acted once: revision 88, not 89.
        Assert.Equal(88, server.Scene.Rollouts[Autumn.Name].Revision);
    }

    [Fact]
    public async Task Refusal_is_not_repeated()
    {
        await using var server = await Autumn.Server();
        server.Scene.FailBefore.Enqueue(Scene.Refuse(StatusCode.FailedPrecondition, ErrorReason.WrongState, "no"));
        var run = await Run.Ota(server, "rollout", "pause", Autumn.Name);
        Assert.Equal(3, run.ExitCode);
        Assert.Single(server.Scene.Calls, c => c.Method == "PauseRollout");
    }

    [Fact]
    public async Task Two_commands_never_share_a_request_id()
    {
        await using var server = await Autumn.Server();
        await Run.Ota(server, "rollout", "pause", Autumn.Name);
        await Run.Ota(server, "rollout", "resume", Autumn.Name);
        var first = (PauseRolloutRequest)server.Scene.Calls.Single(c => c.Method == "PauseRollout").Request;
        var second = (ResumeRolloutRequest)server.Scene.Calls.Single(c => c.Method == "ResumeRollout").Request;
        Assert.NotEqual(first.RequestId, second.RequestId);
    }

    [Fact]
    public async Task Server_with_a_certificate_of_another_authority_is_not_believed()
    {
        await using var server = await Autumn.Server();
        server.PinAnotherAuthority();
        var run = await Run.Ota(server, "rollout", "get", Autumn.Name);
        Assert.Equal(6, run.ExitCode);
        Assert.Contains("don't trust each other", run.Error, StringComparison.Ordinal);
        Assert.Empty(server.Scene.Calls);
    }

    [Fact]
    public async Task Operator_of_another_authority_is_nobody_to_the_server()
    {
        await using var server = await Autumn.Server();
        server.Issue("mallory", ofStrangers: true);
        var run = await Run.Ota(server, "--as", "mallory", "rollout", "get", Autumn.Name);
        Assert.Equal(6, run.ExitCode);
        Assert.Empty(server.Scene.Calls);
    }

    [Fact]
    public async Task Actor_is_the_certificate_that_was_chosen()
    {
        await using var server = await Autumn.Server();
        server.Issue("oncall-01");
        var run = await Run.Ota(server, "--as", "oncall-01", "version", "--json");
        Assert.Equal("oncall-01", JsonDocument.Parse(run.Out).RootElement.GetProperty("actor").GetString());
    }

    [Theory]
    [InlineData("../admin", 2)]
    [InlineData("nobody", 6)]
    public async Task Actor_without_a_certificate_is_an_error(string actor, int exitCode)
    {
        await using var server = await Autumn.Server();
        var run = await Run.Ota(server, "--as", actor, "rollout", "list", "--env", "production");
        Assert.Equal(exitCode, run.ExitCode);
        Assert.StartsWith("error: ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Home_without_a_server_is_unreachable_at_once()
    {
        var home = Directory.CreateTempSubdirectory("ota-cli-").FullName;
        var run = await Run.Ota(home, Run.Clock.Instance, "rollout", "list");
        Directory.Delete(home);
        Assert.Equal(6, run.ExitCode);
        Assert.Equal("error: no server runs in <home>\nhint: start one with `ota serve`, or name one with --server or --home\n", run.Error);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[1]")]
    [InlineData("")]
    public async Task Damaged_endpoint_file_is_said(string content)
    {
        await using var server = await Autumn.Server();
        await File.WriteAllTextAsync(Path.Combine(server.Home, "server", "endpoint.json"), content);
        var run = await Run.Ota(server, "rollout", "list");
        Assert.Equal(6, run.ExitCode);
        Assert.Contains("damaged", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restarted_server_is_found_at_its_new_port()
    {
        await using var server = await Autumn.Server();
        var before = server.Address;
        await server.Crash();
        await server.Listen();
        Assert.NotEqual(before, server.Address);
        Assert.Equal(0, (await Run.Ota(server, "rollout", "get", Autumn.Name)).ExitCode);
    }

    [Fact]
    public async Task Every_violation_is_listed_and_in_the_document()
    {
        await using var server = await Autumn.Server();
        server.Scene.FailBefore.Enqueue(Scene.Invalid("the plan is invalid", ("lanes[0].steps[1].share", "steps rise"), ("lanes[1].target", "there is no `x`")));
        var run = await Run.Ota(server, "rollout", "pause", Autumn.Name, "--json");
        Assert.Equal(8, run.ExitCode);
        Assert.Equal("error: the plan is invalid\n  lanes[0].steps[1].share: steps rise\n  lanes[1].target: there is no `x`\n", run.Error);
        var error = JsonDocument.Parse(run.Out).RootElement.GetProperty("error");
        Assert.Equal("INVALID", error.GetProperty("reason").GetString());
        Assert.Equal(8, error.GetProperty("exitCode").GetInt32());
        Assert.Equal(2, error.GetProperty("violations").GetArrayLength());
    }
}
