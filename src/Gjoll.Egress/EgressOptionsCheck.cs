using Microsoft.Extensions.Options;

namespace Gjoll.Egress;

/// <summary>Reports every fault of the options at once, with its key.</summary>
public sealed class EgressOptionsCheck : IValidateOptions<EgressOptions>
{
    public ValidateOptionsResult Validate(string? name, EgressOptions options)
    {
        var problems = new List<string>();
        problems.AddRange(options.TunnelPorts.Where(IsNoPort).Select(port => $"TunnelPorts: {port} is not a port"));
        problems.AddRange(options.PlainPorts.Where(IsNoPort).Select(port => $"PlainPorts: {port} is not a port"));
        problems.AddRange(options.PlainMethods.Where(IsNoMethod).Select(method => $"PlainMethods: '{method}' is not a method that can be allowed"));
        problems.AddRange(options.AllowedAddresses.SelectMany(AllowedAddress.Problems));
        Positive(options.MaxConnections, nameof(options.MaxConnections));
        Positive(options.MaxUploadBytes, nameof(options.MaxUploadBytes));
        Positive(options.MaxDownloadBytes, nameof(options.MaxDownloadBytes));
        Positive(options.HeadTimeout.Ticks, nameof(options.HeadTimeout));
        Positive(options.DialTimeout.Ticks, nameof(options.DialTimeout));
        Positive(options.IdleTimeout.Ticks, nameof(options.IdleTimeout));
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);

        void Positive(long value, string key)
        {
            if (value <= 0)
            {
                problems.Add($"{key}: must be more than zero");
            }
        }
    }

    private static bool IsNoPort(int port) => port is < 1 or > ushort.MaxValue;

    private static bool IsNoMethod(string method) =>
        method is "" or "CONNECT" or "TRACE" || method.AsSpan().ContainsAnyExceptInRange('A', 'Z');
}
