using System.Net.Sockets;

namespace Gjoll.Hosts;

/// <summary>
/// Unix sockets in folders of any depth. The kernel takes paths of 107 bytes; the folder is therefore opened and the socket named through the descriptor,
/// which also keeps a folder that was exchanged in between from being entered.
/// </summary>
internal static class UnixSocket
{
    public static async Task<Socket> ConnectAsync(string folder, string name, CancellationToken cancellationToken)
    {
        using var held = Native.OpenFolder(folder);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(EndPoint(held, name), cancellationToken);
            return socket;
        }
        catch (SocketException failure)
        {
            socket.Dispose();
            throw new GjollException($"Nobody answers on {Path.Combine(folder, name)}: {failure.Message}.", isTransient: true, failure);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Replaces a socket of that name that an earlier process left.</summary>
    public static Socket Listen(string folder, string name, int backlog)
    {
        File.Delete(Path.Combine(folder, name));
        using var held = Native.OpenFolder(folder);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(EndPoint(held, name));
            socket.Listen(backlog);
            return socket;
        }
        catch (SocketException failure)
        {
            socket.Dispose();
            throw new GjollException($"Could not listen on {Path.Combine(folder, name)}: {failure.Message}.", isTransient: false, failure);
        }
    }

    private static UnixDomainSocketEndPoint EndPoint(Microsoft.Win32.SafeHandles.SafeFileHandle folder, string name) =>
        new($"/proc/self/fd/{folder.DangerousGetHandle()}/{name}");
}
