using OtaOrchestrator.Aws.Clients;
using OtaOrchestrator.Core.Analysis;
using OtaOrchestrator.Core.Plans;
using OtaOrchestrator.Core.Ports;
using OtaOrchestrator.Core.Rollouts;
using OtaOrchestrator.Server.Checks;
using OtaOrchestrator.Server.Hosting;
using OtaOrchestrator.Server.Pki;

namespace OtaOrchestrator.Server.Tests.Checks;

/// <summary>Each source against somebody who answers over TLS, well and badly.</summary>
public sealed class CheckSourceTests : IAsyncLifetime
{
    private readonly Home _home = new(Directory.CreateTempSubdirectory("ota-checks-").FullName);
    private ServerPki _pki = null!;
    private AskedServer _server = null!;
    private SocketsHttpHandler _http = null!;

    public async ValueTask InitializeAsync()
    {
        _pki = new ServerPki(_home, TimeProvider.System);
        _server = await AskedServer.StartAsync(_pki);
        _http = CheckHttp.Create(_pki.Orchestrator, _pki.Servers.Certificate);
    }

    [Theory]
    [InlineData("/healthz", 200, Answer.Passed, "answers")]
    [InlineData("/healthz", 204, Answer.Passed, "answers")]
    [InlineData("/healthz", 503, Answer.Failed, "answers 503")]
    [InlineData("/nowhere", 200, Answer.Failed, "answers 404")]
    [InlineData("/moved", 200, Answer.Failed, "answers 302")]
    [InlineData("/reset", 200, Answer.Failed, "")]
    [InlineData("/never", 200, Answer.Failed, "no answer within 0.5 s")]
    public async Task A_probe_passes_with_2xx_and_fails_otherwise(string path, int status, Answer answer, string text)
    {
        _server.Status = status;
        var reading = await Ask(new CheckPlan { Source = CheckSources.Http, Url = "{candidate}" + path });
        Assert.Equal(answer, reading.Answer);
        Assert.Contains(text, reading.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_address_of_a_release_is_probed()
    {
        var check = new CheckPlan { Source = CheckSources.Http, Url = "{candidate}/healthz" };
        Assert.Equal(Answer.Failed, (await Ask(check, [_server.Address, "https://127.0.0.1:1"])).Answer);
        Assert.Equal(Answer.Passed, (await Ask(check, [_server.Address, _server.Address + "/"])).Answer);
        Assert.Equal(Answer.Passed, (await Ask(check with { Url = "{baseline}/healthz" }, ["https://127.0.0.1:1"])).Answer);
    }

    [Theory]
    [InlineData(CheckSources.Http)]
    [InlineData(CheckSources.Grpc)]
    [InlineData(CheckSources.Webhook)]
    public async Task A_release_without_an_address_passes_nothing(string source)
    {
        var reading = await Ask(new CheckPlan { Source = source, Url = "{candidate}/hook" }, []);
        Assert.Equal((Answer.Nothing, "api@2.0 has no address"), (reading.Answer, reading.Text));
    }

    [Theory]
    [InlineData("http://192.0.2.1:80", "is not an address that is asked")]
    [InlineData("ftp://127.0.0.1", "is not an address that is asked")]
    [InlineData("https://me:secret@127.0.0.1", "is not an address")]
    public async Task A_release_leads_nowhere_that_a_plan_may_not(string address, string text)
    {
        var reading = await Ask(new CheckPlan { Source = CheckSources.Http, Url = "{candidate}/" }, [address]);
        Assert.Equal(Answer.Nothing, reading.Answer);
        Assert.Contains(text, reading.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_webhook_may_stand_at_the_candidate_as_well()
    {
        Assert.Equal(Answer.Passed, (await Ask(new CheckPlan { Source = CheckSources.Webhook, Url = "{candidate}/hook" }, [_server.Address, _server.Address])).Answer);
        Assert.Equal(2, _server.Asked);
    }

    [Fact]
    public async Task One_address_that_hangs_hides_no_other_that_fails()
    {
        var reading = await Ask(new CheckPlan { Source = CheckSources.Http, Url = "{candidate}/never" }, [_server.Address, "https://127.0.0.1:1"]);
        Assert.Equal(Answer.Failed, reading.Answer);
        Assert.Contains("2 of 2", reading.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_of_strangers_is_not_believed()
    {
        var strange = new Home(Directory.CreateTempSubdirectory("ota-strange-").FullName);
        using var pki = new ServerPki(strange, TimeProvider.System);
        await using var server = await AskedServer.StartAsync(pki);
        var reading = await Ask(new CheckPlan { Source = CheckSources.Http, Url = server.Address + "/healthz" });
        Assert.Equal(Answer.Failed, reading.Answer);
        Assert.Contains("certificate", reading.Text, StringComparison.OrdinalIgnoreCase);
        Directory.Delete(strange.Root, recursive: true);
    }

    [Theory]
    [InlineData(null, Answer.Passed, "serves")]
    [InlineData("well", Answer.Passed, "serves")]
    [InlineData("ill", Answer.Failed, "NotServing")]
    [InlineData("ghost", Answer.Failed, "knows no health of ghost")]
    public async Task The_standard_health_service_is_asked(string? service, Answer answer, string text)
    {
        var reading = await Ask(new CheckPlan { Source = CheckSources.Grpc, Url = "{candidate}", Service = service });
        Assert.Equal(answer, reading.Answer);
        Assert.Contains(text, reading.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"verdict":"healthy"}""", 200, Answer.Passed, "healthy")]
    [InlineData("""{"verdict":"unhealthy","text":"cart is empty"}""", 200, Answer.Failed, "cart is empty")]
    [InlineData("""{"verdict":"inconclusive"}""", 200, Answer.Undecided, "can't tell yet")]
    [InlineData("""{"verdict":"noData","text":"no orders"}""", 200, Answer.Nothing, "no orders")]
    [InlineData("""{"verdict":"HEALTHY"}""", 200, Answer.Nothing, "none of healthy")]
    [InlineData("""{"verdict":1}""", 200, Answer.Nothing, "answer is not")]
    [InlineData("""{"status":"ok"}""", 200, Answer.Nothing, "answer is not")]
    [InlineData("""{"verdict":"unhealthy","verdict":"healthy"}""", 200, Answer.Nothing, "answer is not")]
    [InlineData("[]", 200, Answer.Nothing, "answer is not")]
    [InlineData("<html>ok</html>", 200, Answer.Nothing, "answer is not")]
    [InlineData("", 200, Answer.Nothing, "answer is not")]
    [InlineData("""{"verdict":"healthy"}""", 500, Answer.Nothing, "answers 500")]
    public async Task A_webhook_answers_one_of_four_verdicts_and_nothing_else_counts(string said, int status, Answer answer, string text)
    {
        (_server.Answer, _server.Status) = (said, status);
        var reading = await Ask(new CheckPlan { Source = CheckSources.Webhook, Url = _server.Address + "/hook" });
        Assert.Equal(answer, reading.Answer);
        Assert.Contains(text, reading.Text, StringComparison.Ordinal);
        Assert.Contains("\"candidate\":\"api@2.0\"", _server.Told, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/flood")]
    [InlineData("/never")]
    [InlineData("/trickle")]
    public async Task A_webhook_that_never_ends_costs_its_time_and_no_memory(string path)
    {
        long before = GC.GetTotalAllocatedBytes();
        Assert.Equal(Answer.Nothing, (await Ask(new CheckPlan { Source = CheckSources.Webhook, Url = _server.Address + path })).Answer);
        Assert.True(GC.GetTotalAllocatedBytes() - before < 64 * 1024 * 1024);
    }

    [Fact]
    public async Task What_others_say_is_one_short_line()
    {
        _server.Answer = $$"""{"verdict":"unhealthy","text":"a\n\u001b[31m\u202eb{{new string('x', 5000)}}"}""";
        var reading = await Ask(new CheckPlan { Source = CheckSources.Webhook, Url = _server.Address + "/hook" });
        Assert.StartsWith("a[31mbxxx", reading.Text, StringComparison.Ordinal);
        Assert.Equal(201, reading.Text.Length);
        _server.Answer = $$"""{"verdict":"unhealthy","text":"{{new string('x', 199)}}😀😀"}""";
        reading = await Ask(new CheckPlan { Source = CheckSources.Webhook, Url = _server.Address + "/hook" });
        Assert.DoesNotContain(reading.Text.EnumerateRunes(), rune => rune == System.Text.Rune.ReplacementChar);
    }

    [Theory]
    [InlineData("""{"status":"success","data":{"resultType":"scalar","result":[1,"0.5"]}}""", 200, Answer.Passed)]
    [InlineData("""{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"0.5"]},{"metric":{},"value":[1,"1.5"]}]}}""", 200, Answer.Failed)]
    [InlineData("""{"status":"success","data":{"resultType":"scalar","result":[1,"+Inf"]}}""", 200, Answer.Failed)]
    [InlineData("""{"status":"success","data":{"resultType":"scalar","result":[1,"-Inf"]}}""", 200, Answer.Failed)]
    [InlineData("""{"status":"success","data":{"resultType":"scalar","result":[1,"NaN"]}}""", 200, Answer.Nothing)]
    [InlineData("""{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"NaN"]},{"metric":{},"value":[1,"1.5"]}]}}""", 200, Answer.Failed)]
    [InlineData("""{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"0.5"]},{"metric":{},"value":[1,"NaN"]}]}}""", 200, Answer.Nothing)]
    [InlineData("""{"status":"success","data":{"resultType":"vector","result":[]}}""", 200, Answer.Nothing)]
    [InlineData("""{"status":"success","data":{"resultType":"matrix","result":[]}}""", 200, Answer.Nothing)]
    [InlineData("""{"status":"success","data":{"resultType":"scalar","result":[1]}}""", 200, Answer.Nothing)]
    [InlineData("""{"status":"success","data":{"resultType":"scalar","result":[1,"much"]}}""", 200, Answer.Nothing)]
    [InlineData("""{"status":"error"}""", 200, Answer.Nothing)]
    [InlineData("<html>", 200, Answer.Nothing)]
    [InlineData("{}", 503, Answer.Nothing)]
    public async Task A_query_passes_within_its_limits_and_says_nothing_when_it_says_no_number(string said, int status, Answer answer)
    {
        (_server.Answer, _server.Status) = (said, status);
        var check = new CheckPlan { Source = CheckSources.Prometheus, Url = _server.Address + "/prometheus/", Query = "errors{release=\"{candidate}\"}", ValueMin = 0, ValueMax = 1 };
        Assert.Equal(answer, (await Ask(check)).Answer);
        Assert.Equal("errors{release=\"api@2.0\"}", _server.Told);
    }

    [Fact]
    public async Task A_query_that_prometheus_refuses_says_why()
    {
        (_server.Answer, _server.Status) = ("""{"status":"error","errorType":"bad_data","error":"1:5: parse error: unclosed left brace"}""", 400);
        var reading = await Ask(new CheckPlan { Source = CheckSources.Prometheus, Url = _server.Address + "/prometheus", Query = "up{", ValueMin = 0 });
        Assert.Equal((Answer.Nothing, "prometheus answers 400: 1:5: parse error: unclosed left brace"), (reading.Answer, reading.Text));
    }

    [Fact]
    public void No_release_can_leave_the_text_that_its_name_stands_in()
    {
        var lane = Lane([]) with { Candidate = new TargetRelease("a\"} or `vector(0) #", "1\\", "sha256:") };
        var question = new CheckQuestion(Rollout(lane), lane, new CheckPlan { Query = "errors{release=\"{candidate}\"}" });
        Assert.Equal("errors{release=\"a\\\"} or vector(0) #@1\\\\\"}", question.Query());
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _server.DisposeAsync();
        _pki.Dispose();
        Directory.Delete(_home.Root, recursive: true);
    }

    private async Task<CheckReading> Ask(CheckPlan check, string[]? addresses = null)
    {
        check = check with { Name = "it", Timeout = TimeSpan.FromMilliseconds(check.Url!.Contains("never", StringComparison.Ordinal) || check.Url.Contains("flood", StringComparison.Ordinal) || check.Url.Contains("trickle", StringComparison.Ordinal) ? 500 : 20_000) };
        var lane = Lane(addresses ?? [_server.Address]) with { Plan = new LanePlan { Checks = [check] } };
        using var asked = new CheckReadings(_http, new AwsClients(new(), TimeProvider.System), TimeProvider.System);
        // Who is late is heard at a later look.
        IReadOnlyDictionary<string, CheckReading> readings;
        do
        {
            readings = await asked.ReadAsync(Rollout(lane), lane, new StepPlan { Share = 1 }, TestContext.Current.CancellationToken);
        }
        while (readings.Count == 0);
        return Assert.Single(readings).Value;
    }

    private Lane Lane(string[] addresses) => new()
    {
        Name = "api",
        Target = "api",
        Kind = TargetKind.Traffic,
        Epoch = 1,
        Plan = new LanePlan(),
        Candidate = new TargetRelease("api", "2.0", "sha256:") { Addresses = addresses },
        Fallback = new TargetRelease("api", "1.0", "sha256:") { Addresses = [_server.Address] },
    };

    private static Rollout Rollout(Lane lane) => new()
    {
        Environment = "production", Id = "autumn", Plan = new Plan { Name = "autumn" }, Lanes = [lane], StartedBy = new Actor("rel-01"), CreatedAt = DateTimeOffset.UnixEpoch,
    };
}
