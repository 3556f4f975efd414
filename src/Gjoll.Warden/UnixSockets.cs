using System.Net.Sockets;

namespace Gjoll.Warden;

internal static class UnixSockets
{
    private const int SocketLevel = 1;
    private const int PeerCredentials = 17;

    public static Socket New() => new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    /// <summary>Listens at the path, whatever was there; nobody but the owner may connect.</summary>
    public static Socket Listen(string path)
    {
        File.Delete(path);
        var listener = New();
        listener.Bind(new UnixDomainSocketEndPoint(path));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        listener.Listen(128);
        return listener;
    }

    public static async Task<Stream> ConnectAsync(string path, CancellationToken cancellationToken)
    {
        var socket = New();
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The kernel user at the other end, as it was when it connected.</summary>
    public static uint PeerUser(Socket socket)
    {
        // struct ucred { pid_t pid; uid_t uid; gid_t gid; }
        Span<byte> credentials = stackalloc byte[12];
        return socket.GetRawSocketOption(SocketLevel, PeerCredentials, credentials) == credentials.Length
            ? System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(credentials[4..])
            : uint.MaxValue;
    }
}
