using System.Security.Cryptography;
using System.Text;

namespace Gjoll.Records;

/// <summary>What every provider's state folder holds: records, locks, and for each sandbox a folder of its own.</summary>
internal class StateFolders(string root)
{
    public const string LockSuffix = ".lock";

    public string Root { get; } = Path.GetFullPath(root);

    public string Sandboxes => Path.Combine(Root, "sandboxes");

    public string Locks => Path.Combine(Root, "locks");

    public string Of(SandboxName name) => Path.Combine(Sandboxes, name.Value);

    public string Record(SandboxName name) => Path.Combine(Of(name), "record.json");

    public string Endpoints(SandboxName name) => Path.Combine(Of(name), "run");

    public string Snapshots(SandboxName name) => Path.Combine(Of(name), "snapshots");

    /// <summary>Where a root launcher shows the sources of its mounts.</summary>
    public string Stage(SandboxName name) => Path.Combine(Of(name), "stage");

    /// <summary>Arguments of bubblewrap, kept from command lines.</summary>
    public string Arguments(SandboxName name) => Path.Combine(Of(name), "bwrap.args");

    public string Lock(SandboxName name) => Path.Combine(Locks, name.Value + LockSuffix);

    /// <summary>What marks the processes and cgroups of a sandbox on this host: no secret, and the same after every restart.</summary>
    public string Marker(SandboxName name) => $"{MarkerPrefix}{name.Value}";

    /// <summary>What all markers of this state folder begin with.</summary>
    public string MarkerPrefix { get; } =
        "gjoll-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(root))))[..12] + "-";
}
