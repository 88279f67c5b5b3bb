using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace OtaOrchestrator.DevicePlane;

public static class DevicePlaneServices
{
    /// <summary>Adds <see cref="EmbeddedDevicePlane"/> as a singleton that starts and stops with the host, in the order of registration.</summary>
    public static IServiceCollection AddDevicePlane(this IServiceCollection services, Action<DevicePlaneOptions> configure)
    {
        services.AddOptions<DevicePlaneOptions>().Configure(configure).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<EmbeddedDevicePlane>();
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredService<EmbeddedDevicePlane>());
        return services;
    }
}
