using System.Net.Sockets;
using System.Text;

namespace Gjoll.Egress.Serving;

/// <summary>Where a unix socket may stand.</summary>
internal static class SocketPath
{
    private const int LongestBytes = 107;

    public static IEnumerable<string> Problems(string path)
    {
        if (!Path.IsPathFullyQualified(path))
        {
            yield return $"socket: '{path}' is not an absolute path";
        }

        if (Encoding.UTF8.GetByteCount(path) > LongestBytes)
        {
            yield return $"socket: '{path}' is longer than the {LongestBytes} bytes that a unix socket may have; use a shorter folder";
        }
    }

    /// <summary>Removes what a killed process left behind. Throws <see cref="IOException"/> when somebody serves there, or it is no socket.</summary>
    public static void Clear(string path)
    {
        if (!File.Exists(path))
        {
            return;
        }

        if (new FileInfo(path).Length > 0)
        {
            throw new IOException($"'{path}' is a file, not a socket");
        }

        using var knock = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            knock.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException)
        {
            File.Delete(path);
            return;
        }

        throw new IOException($"'{path}' is served already");
    }
}
