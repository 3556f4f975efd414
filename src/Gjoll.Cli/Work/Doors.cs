using System.Globalization;
using Gjoll.Environments;

namespace Gjoll.Cli.Work;

/// <summary>What programs in the guest are told about the ways out.</summary>
internal static class Doors
{
    /// <summary>The environment's own variables, and where the egress proxy is when there is one.</summary>
    public static Dictionary<string, string> Variables(SandboxEnvironment environment)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        if (environment.Egress is { } egress)
        {
            var proxy = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{egress.Port}");
            foreach (var name in (string[])["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"])
            {
                variables[name] = proxy;
            }

            variables["NO_PROXY"] = variables["no_proxy"] = "127.0.0.1,localhost";
        }

        foreach (var (name, value) in environment.Variables)
        {
            variables[name] = value;
        }

        return variables;
    }

    /// <summary>The environment that an instance was made from.</summary>
    public static SandboxEnvironment EnvironmentOf(Instance instance) =>
        // Files that were named may be gone by now; what is asked for here does not need them.
        EnvironmentReader.Read(instance.Environment, instance.Name, Path.GetDirectoryName(instance.EnvironmentFile) ?? "/").Environment
            ?? new SandboxEnvironment { Name = instance.Name };
}
