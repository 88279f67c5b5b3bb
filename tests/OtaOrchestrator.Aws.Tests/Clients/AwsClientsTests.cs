using Amazon.Lambda.Model;
using Microsoft.Extensions.Time.Testing;
using OtaOrchestrator.Aws.Clients;
using OtaOrchestrator.Aws.Tests.Doubles;

namespace OtaOrchestrator.Aws.Tests.Clients;

/// <summary>The SDK's own chain finds account, region and endpoint. The variables are the process's, and nobody else here reads them: every other client is told where to go.</summary>
public sealed class AwsClientsTests : IAsyncLifetime
{
    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;
    private AwsDoubles _aws = null!;

    public async ValueTask InitializeAsync()
    {
        _aws = await AwsDoubles.StartAsync();
        await _aws.AdminAsync("lambda/functions", new { name = "api", codes = new[] { "1" }, aliases = new { live = "1" } });
        foreach (var (name, value) in new[] { ("AWS_ACCESS_KEY_ID", "AKIDORCHESTRATOR"), ("AWS_SECRET_ACCESS_KEY", "orchestrator-secret"), ("AWS_REGION", "eu-central-1"), ("AWS_ENDPOINT_URL", _aws.Url.ToString()) })
        {
            Environment.SetEnvironmentVariable(name, value);
        }
    }

    public ValueTask DisposeAsync() => _aws.DisposeAsync();

    [Theory]
    [InlineData("timeout")]
    [InlineData("lose")]
    public async Task A_call_that_failed_for_a_while_is_repeated_within_its_budget(string kind)
    {
        using var clients = new AwsClients(new AwsClientsOptions { CallTimeout = TimeSpan.FromSeconds(1) }, TimeProvider.System);
        await _aws.FaultAsync(new AwsFault(kind, "lambda", "GetAlias"));
        Assert.Equal("1", (await clients.Lambda("").GetAliasAsync(new GetAliasRequest { FunctionName = "api", Name = "live" }, _cancellation)).FunctionVersion);
        Assert.Equal(2, (await _aws.CallsAsync()).Count(call => call is { Operation: "GetAlias", User: "ota-orchestrator" }));
    }

    [Fact]
    public async Task A_call_that_the_caller_gives_up_is_not_repeated()
    {
        using var clients = new AwsClients(new AwsClientsOptions(), TimeProvider.System);
        await _aws.FaultAsync(new AwsFault("timeout", "lambda", "GetAlias"));
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => clients.Lambda("").GetAliasAsync(new GetAliasRequest { FunctionName = "api", Name = "live" }, patience.Token));
        Assert.Single(await _aws.CallsAsync(), call => call.Operation == "GetAlias");
    }

    [Fact]
    public async Task A_budget_lets_a_second_s_worth_go_at_once_and_the_rest_at_its_rate()
    {
        var clock = new FakeTimeProvider();
        using var budget = new CallBudget(5, clock);
        var calls = Enumerable.Range(0, 12).Select(_ => budget.TakeAsync(_cancellation)).ToList();
        Assert.Equal(5, calls.Count(call => call.IsCompleted));
        for (int second = 1; second <= 2; second++)
        {
            for (int step = 0; step < 10; step++)
            {
                clock.Advance(TimeSpan.FromSeconds(0.1));
                await Task.Yield();
            }

            await Task.WhenAll(calls.Take(Math.Min(12, 5 + (5 * second) - 1))).WaitAsync(TimeSpan.FromSeconds(5), TimeProvider.System, _cancellation);
            Assert.True(calls.Count(call => call.IsCompleted) <= 5 + (5 * second));
        }
    }
}
