using Gjoll.Records;

namespace Gjoll.Bubblewrap;

internal sealed class SandboxFolders(string root) : StateFolders(root)
{
    public string Etc(SandboxName name) => Path.Combine(Of(name), "etc");

    public string Layer(SandboxName name) => Path.Combine(Of(name), "layer");
}
