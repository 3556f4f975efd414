using Gjoll.Channel;
using Gjoll.Hosts;
using Gjoll.Records;

namespace Gjoll.Bubblewrap;

/// <summary>
/// The host sockets that a guest may reach. The guest sees none of them: it has the socket of its warden, which connects to them. What a guest sees at
/// <c>/run/gjoll</c> is another folder, with that one socket in it.
/// </summary>
internal sealed class Endpoints(SandboxFolders folders, SandboxName name)
{
    private readonly string _folder = folders.Endpoints(name);

    public void Make()
    {
        foreach (var folder in (string[])[_folder, folders.Link(name)])
        {
            Directory.CreateDirectory(folder);
            File.SetUnixFileMode(folder, Modes.FolderForAll);
        }
    }

    /// <summary>The table for the warden.</summary>
    public void Write(SandboxRecord record) =>
        WardenProcess.WriteForwards(folders.Forwards(name), [.. record.Spec.Forwards.Select(forward => HostPath(forward.HostSocket))]);

    public void Demand(SandboxRecord record)
    {
        if (record.Spec.Forwards.Select(forward => HostPath(forward.HostSocket)).FirstOrDefault(socket => !File.Exists(socket)) is { } missing)
        {
            throw new GjollException($"Sandbox {name} is to reach {missing}, but nothing is there: listen first, then start.", isTransient: true);
        }
    }

    /// <summary>Where the owner listens.</summary>
    public string HostPath(string hostSocket) => Path.Combine(_folder, hostSocket);
}
