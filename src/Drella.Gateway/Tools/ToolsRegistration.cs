using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Drella.Gateway.Tools;

internal static class ToolsRegistration
{
    public static IServiceCollection AddTools(this IServiceCollection services)
    {
        services.AddOptions<ToolsOptions>()
            .Validate(
                options => options is
                {
                    MaxBodyBytes: > 0, MaxPlainBodyBytes: > 0, MaxRequestsAtOnce: > 0, CallsPerMinute: > 0, RequestsPerMinute: > 0, BodyTimeout.Ticks: > 0,
                },
                "Tools: every bound must be more than zero")
            .ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ToolServer>();
        services.TryAddSingleton<ToolsDoor>();
        return services;
    }
}
