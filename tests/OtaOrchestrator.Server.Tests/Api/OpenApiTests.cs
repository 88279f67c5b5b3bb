using OtaOrchestrator.Server.Api;

namespace OtaOrchestrator.Server.Tests.Api;

public sealed class OpenApiTests
{
    [Theory]
    [InlineData("/v1/environments", "/v1/environments", "")]
    [InlineData("/v1/{name=environments/*}", "/v1/environments/{environment}", "environment")]
    [InlineData("/v1/{name=environments/*/rollouts/*}:pause", "/v1/environments/{environment}/rollouts/{rollout}:pause", "environment,rollout")]
    [InlineData("/v1/{parent=environments/*}/devices:count", "/v1/environments/{environment}/devices:count", "environment")]
    [InlineData("/v1/{name=releases/*}:verify", "/v1/releases/{release}:verify", "release")]
    public void Resource_names_become_parameters(string template, string path, string parameters)
    {
        var (expanded, names) = OpenApi.Expand(template);
        Assert.Equal(path, expanded);
        Assert.Equal(parameters, string.Join(',', names));
    }
}
