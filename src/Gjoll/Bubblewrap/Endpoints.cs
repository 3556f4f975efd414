using System.Globalization;
using Gjoll.Channel;
using Gjoll.Hosts;
using Gjoll.Records;

namespace Gjoll.Bubblewrap;

/// <summary>
/// The folder of sockets that a guest sees at <c>/run/gjoll</c>. A socket that the owner put there is used as it is; one from elsewhere is linked in, so
/// that the guest sees that socket and not its neighbours.
/// </summary>
internal sealed class Endpoints(SandboxFolders folders, SandboxName name)
{
    private readonly string _folder = folders.Endpoints(name);

    public string GuestPath(ForwardRecord forward, int index) => $"{GuestPaths.Endpoints}/{FileName(forward, index)}";

    public void Make()
    {
        Directory.CreateDirectory(_folder);
        File.SetUnixFileMode(_folder, Modes.FolderForAll);
    }

    /// <summary>Brings links and owners up to date. With <paramref name="demand"/> a socket that is missing is an error, else it is left for later.</summary>
    public void Refresh(SandboxRecord record, bool demand)
    {
        foreach (var (forward, index) in record.Spec.Forwards.Select((forward, index) => (forward, index)))
        {
            var socket = HostPath(forward.HostSocket);
            if (!File.Exists(socket))
            {
                if (demand)
                {
                    throw new GjollException($"Sandbox {name} is to reach {socket}, but nothing is there: listen first, then start.", isTransient: true);
                }

                continue;
            }

            if (record.DropUser)
            {
                Native.ChangeOwner(socket, record.UserId, record.UserId);
            }

            if (!IsInside(forward))
            {
                var link = Path.Combine(_folder, FileName(forward, index));
                File.Delete(link);
                Native.MakeHardLink(socket, link);
            }
        }
    }

    /// <summary>Where the owner listens.</summary>
    public string HostPath(string hostSocket) => Path.Combine(_folder, hostSocket);

    private string FileName(ForwardRecord forward, int index) =>
        IsInside(forward) ? Path.GetFileName(forward.HostSocket) : "forward-" + index.ToString(CultureInfo.InvariantCulture);

    private bool IsInside(ForwardRecord forward) => Path.GetDirectoryName(Path.GetFullPath(HostPath(forward.HostSocket))) == _folder;
}
