using Gjoll.Records;

namespace Gjoll.Qemu;

internal sealed class MachineFolders(string root) : StateFolders(root)
{
    public const string NewSuffix = ".new";

    /// <summary>What QEMU may write.</summary>
    public string Machine(SandboxName name) => Path.Combine(Of(name), "machine");

    /// <summary>Saved states, which QEMU may not see: they reach it through a socket.</summary>
    public string State(SandboxName name) => Path.Combine(Of(name), "state");

    /// <summary>What the warden needs to know, and its own socket.</summary>
    public string Warden(SandboxName name) => Path.Combine(Of(name), "warden");

    public string Templates => Path.Combine(Root, "templates");

    public string Template(string id) => Path.Combine(Templates, id);

    /// <summary>Host folders as disks, by what they hold.</summary>
    public string FolderDisks => Path.Combine(Root, "folders");

    public string TemplateMarker(string id) => MarkerPrefix + "template." + id;

    public string TemplateMarkerPrefix => MarkerPrefix + "template.";
}
