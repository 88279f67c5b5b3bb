using System.Net;
using OtaOrchestrator.Router.Tests.Parts;

namespace OtaOrchestrator.Router.Tests;

public sealed class AdminTlsTests : World
{
    [Fact]
    public async Task The_orchestrator_is_let_in()
    {
        using var health = await Router.Admin.GetAsync("/healthz");
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
    }

    [Fact]
    public Task Nobody_is_anonymous() => RefusedAsync(null);

    [Fact]
    public async Task A_certificate_of_another_authority_is_refused()
    {
        using var other = new Pki();
        await RefusedAsync(other.Orchestrator);
    }

    [Fact]
    public Task A_person_with_a_certificate_of_the_same_authority_is_refused() => RefusedAsync(Pki.Issue("CN=alice", Pki.ClientAuthentication));

    [Fact]
    public Task A_server_certificate_does_not_administer() => RefusedAsync(Pki.Issue("CN=orchestrator", Pki.ServerAuthentication));

    [Fact]
    public Task Two_common_names_are_one_too_many() => RefusedAsync(Pki.Issue("CN=orchestrator, CN=alice", Pki.ClientAuthentication));

    [Fact]
    public async Task The_public_listener_has_no_administration()
    {
        await Router.SetAsync(TestRouter.Body(1, 1, Old));
        using var identified = Pki.Client(Pki.Orchestrator);
        using var response = await identified.GetAsync(Router.Url + "/v1/routes/api");
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.DoesNotContain("epoch", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_back_end_that_the_authority_does_not_vouch_for_gets_no_request()
    {
        using var other = new Pki();
        await using var impostor = await ToyBackend.StartAsync(other, "5.1.0");
        await Router.SetAsync(TestRouter.Body(1, 1, Old, impostor, 1));
        using var response = await Router.Public.GetAsync("/version");
        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        Assert.Null(impostor.LastHeaders);
        await TestRouter.UntilAsync(async () => (string?)(await Router.DestinationAsync(impostor))["problem"] == "its certificate is not accepted", "the problem is told");
    }

    private async Task RefusedAsync(Issued? identity)
    {
        using var client = Pki.Client(identity, HttpVersion.Version11);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => client.GetAsync(Router.AdminUrl + "/healthz"));
    }
}
