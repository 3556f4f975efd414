using Gjoll.Records;

namespace Gjoll.OpenTofu;

internal sealed class TofuFolders(string root) : StateFolders(root)
{
    /// <summary>The user's files, and the state of <c>tofu</c>.</summary>
    public string Terraform(SandboxName name) => Path.Combine(Of(name), "terraform");

    public string Variables(SandboxName name) => Path.Combine(Terraform(name), "gjoll.auto.tfvars.json");

    public string SshKey(SandboxName name) => Path.Combine(Of(name), "ssh_key");

    public string KnownHosts(SandboxName name) => Path.Combine(Of(name), "known_hosts");

    public string Key(SandboxName name) => Path.Combine(Of(name), "key");

    public string Control(SandboxName name) => Path.Combine(Of(name), "control.sock");

    public string Forwards(SandboxName name) => Path.Combine(Of(name), "forwards.json");

    public string LinkCommand(SandboxName name) => Path.Combine(Of(name), "link.json");
}
