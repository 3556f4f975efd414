using System.Net.Sockets;
using System.Text;

namespace Gjoll.Egress.Tests;

/// <summary>Raw bytes to a unix socket and back.</summary>
internal static class UnixClient
{
    public static async Task<NetworkStream> ConnectAsync(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), TestContext.Current.CancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }

    /// <summary>Sends the bytes and reads all that comes until the other side closes.</summary>
    public static async Task<string> AskAsync(string path, string request)
    {
        await using var stream = await ConnectAsync(path);
        try
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(request), TestContext.Current.CancellationToken);
        }
        catch (IOException)
        {
            // Closed before all was sent: what was answered may still be read.
        }

        return await EgressLab.ReadAllAsync(stream);
    }
}
