using Gjoll.Channel;
using Gjoll.Records;

namespace Gjoll.Bubblewrap;

internal sealed class SandboxFolders(string root) : StateFolders(root)
{
    /// <summary>What the guest sees at <c>/run/gjoll</c>.</summary>
    public string Link(SandboxName name) => Path.Combine(Of(name), "link");

    public string LinkSocket(SandboxName name) => Path.Combine(Link(name), GuestPaths.LinkSocket);

    /// <summary>The first key of a start, until the agent has another.</summary>
    public string GuestKey(SandboxName name) => Path.Combine(Link(name), GuestPaths.Key);

    public string Key(SandboxName name) => Path.Combine(Of(name), "key");

    public string Control(SandboxName name) => Path.Combine(Of(name), "control.sock");

    public string Forwards(SandboxName name) => Path.Combine(Of(name), "forwards.json");

    /// <summary>The filter on system calls, for bubblewrap to load.</summary>
    public string Filter(SandboxName name) => Path.Combine(Of(name), "calls.bpf");

    public string Etc(SandboxName name) => Path.Combine(Of(name), "etc");

    public string Layer(SandboxName name) => Path.Combine(Of(name), "layer");
}
