using System.Security.Cryptography;
using System.Text;
using Gjoll.Channel;

namespace Gjoll.Bubblewrap;

/// <summary>The one place that knows how the state folder is laid out.</summary>
internal sealed class SandboxFolders(string root)
{
    public const string LockSuffix = ".lock";

    public string Root { get; } = Path.GetFullPath(root);

    public string Sandboxes => Path.Combine(Root, "sandboxes");

    public string Locks => Path.Combine(Root, "locks");

    public string Of(SandboxName name) => Path.Combine(Sandboxes, name.Value);

    public string Record(SandboxName name) => Path.Combine(Of(name), "record.json");

    public string Endpoints(SandboxName name) => Path.Combine(Of(name), "run");

    /// <summary>What the guest sees at <c>/run/gjoll</c>.</summary>
    public string Link(SandboxName name) => Path.Combine(Of(name), "link");

    public string LinkSocket(SandboxName name) => Path.Combine(Link(name), GuestPaths.LinkSocket);

    /// <summary>The first key of a start, until the agent has another.</summary>
    public string GuestKey(SandboxName name) => Path.Combine(Link(name), GuestPaths.Key);

    public string Key(SandboxName name) => Path.Combine(Of(name), "key");

    public string Control(SandboxName name) => Path.Combine(Of(name), "control.sock");

    public string Forwards(SandboxName name) => Path.Combine(Of(name), "forwards.json");

    public string Etc(SandboxName name) => Path.Combine(Of(name), "etc");

    public string Layer(SandboxName name) => Path.Combine(Of(name), "layer");

    public string Snapshots(SandboxName name) => Path.Combine(Of(name), "snapshots");

    public string Stage(SandboxName name) => Path.Combine(Of(name), "stage");

    public string Arguments(SandboxName name) => Path.Combine(Of(name), "bwrap.args");

    public string Lock(SandboxName name) => Path.Combine(Locks, name.Value + LockSuffix);

    /// <summary>What marks the processes and cgroups of a sandbox on this host: no secret, and the same after every restart.</summary>
    public string Marker(SandboxName name) => $"{MarkerPrefix}{name.Value}";

    /// <summary>What all markers of this state folder begin with.</summary>
    public string MarkerPrefix { get; } =
        "gjoll-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(root))))[..12] + "-";
}
