using System.Net;
using System.Net.Sockets;

namespace Gjoll.Egress;

/// <summary>Every address of a name, as the host's resolver sees it.</summary>
internal delegate Task<IPAddress[]> ResolveHost(string host, CancellationToken cancellationToken);

/// <summary>
/// Resolves a name once, judges every address it leads to, and connects to those very addresses. A name that leads anywhere it may not is
/// refused whole: a mixture is what rebinding looks like.
/// </summary>
internal sealed class Dialer(Func<TimeSpan> timeout, ResolveHost resolve, TimeProvider time)
{
    private const int MaxAddresses = 16;

    /// <summary>The addresses to dial, or why not. <paramref name="lifts"/> says which private ones an operator named.</summary>
    public async Task<(IReadOnlyList<IPEndPoint> EndPoints, EgressRefusal? Refusal)> LookUpAsync(
        string host, int port, Func<IPEndPoint, bool> lifts, CancellationToken cancellationToken)
    {
        IPAddress[] addresses;
        using var limit = new CancellationTokenSource(timeout(), time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            addresses = await resolve(host, both.Token);
        }
        catch (SocketException)
        {
            return ([], EgressRefusal.Unresolved);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return ([], EgressRefusal.Unresolved);
        }

        if (addresses.Length == 0)
        {
            return ([], EgressRefusal.Unresolved);
        }

        IPEndPoint[] endPoints = [.. addresses.Select(address => new IPEndPoint(address, port))];
        return Array.TrueForAll(endPoints, endPoint => AddressPolicy.IsPublic(endPoint.Address) || lifts(endPoint))
            ? (endPoints[..Math.Min(endPoints.Length, MaxAddresses)], null)
            : ([], EgressRefusal.Address);
    }

    /// <summary>Connects to the first address that answers; null when none does.</summary>
    public async Task<NetworkStream?> DialAsync(IReadOnlyList<IPEndPoint> endPoints, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(timeout(), time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        foreach (var endPoint in endPoints)
        {
            var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(endPoint, both.Token);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException)
            {
                socket.Dispose();
            }
            catch (OperationCanceledException)
            {
                socket.Dispose();
                cancellationToken.ThrowIfCancellationRequested();
                return null;
            }
        }

        return null;
    }
}
