using System.Globalization;
using Gjoll.Environments;
using Gjoll.OpenTofu;

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

    /// <summary>What an OpenTofu file says in its outputs is what an environment file says in its sections.</summary>
    public static SandboxEnvironment FromOutputs(SandboxEnvironment environment, TofuOutputs outputs, string folder) => environment with
    {
        Init = outputs.InitScript,
        Files = [.. outputs.CopyFiles.Select(file => new EnvironmentFile(GuestPath.Of(file.Destination), null, Host(file.Source, folder), GuestFileMode.Private))],
        Proxies = [.. outputs.Proxies.Select(proxy => new ProxySection
        {
            Name = proxy.Name,
            Port = proxy.Port,
            Target = proxy.Target,
            Addresses = proxy.Addresses,
            Allow = [new ProxyAllowance(["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"], "/**")],
            Credential = proxy.Authorisation switch
            {
                "gcp" => new CredentialSection.Google(null),
                "api-key" => new CredentialSection.Header("x-api-key", "", Host(proxy.KeyFile!, folder), null, IsRenewed: false),
                _ => new CredentialSection.None(),
            },
        })],
    };

    /// <summary>The environment that an instance was made from.</summary>
    public static SandboxEnvironment EnvironmentOf(Instance instance, House house)
    {
        var bare = new SandboxEnvironment { Name = instance.Name };
        var folder = Path.GetDirectoryName(instance.EnvironmentFile) ?? "/";
        if (instance.Provider == House.OpenTofu)
        {
            return house.Provider(House.OpenTofu) is OpenTofuProvider tofu && tofu.OutputsOf(new SandboxName(instance.Name)) is { } outputs ? FromOutputs(bare, outputs, folder) : bare;
        }

        // A file that was named may be gone by now; then only what the provider itself keeps is left.
        return EnvironmentReader.Read(instance.Environment, instance.Name, folder).Environment ?? bare;
    }

    private static string Host(string path, string folder) => Path.GetFullPath(Path.Combine(
        folder, path.StartsWith("~/", StringComparison.Ordinal) ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), path[2..]) : path));
}
