using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Gjoll.Egress.Proxies;

/// <summary>
/// Makes clients that connect only where they may: to the addresses that an operator named, or to public ones. They follow nothing, keep
/// nothing and take nothing from the host's environment.
/// </summary>
internal sealed class TargetClient(ResolveHost resolve, TimeProvider time)
{
    private const int MaxHeadKilobytes = 64;
    private static readonly TimeSpan DialTimeout = TimeSpan.FromSeconds(10);

    private readonly Dialer dialer = new(() => DialTimeout, resolve, time);

    /// <param name="pinned">The only addresses; none for public ones.</param>
    /// <param name="authorityFile">PEM certificates trusted in place of the host's; null for the host's.</param>
    /// <param name="maxConnections">At a time.</param>
    public HttpMessageInvoker Make(IReadOnlySet<IPEndPoint> pinned, string? authorityFile, int maxConnections)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            MaxConnectionsPerServer = maxConnections,
            MaxResponseHeadersLength = MaxHeadKilobytes,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1,
            ResponseHeaderEncodingSelector = (_, _) => Encoding.Latin1,
            ConnectCallback = async (context, cancellationToken) => await ConnectAsync(context.DnsEndPoint, pinned, cancellationToken),
        };
        if (authorityFile is not null)
        {
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = Trust(authorityFile) };
        }

        return new HttpMessageInvoker(handler);
    }

    private async Task<Stream> ConnectAsync(DnsEndPoint target, IReadOnlySet<IPEndPoint> pinned, CancellationToken cancellationToken)
    {
        IReadOnlyList<IPEndPoint> endPoints;
        EgressRefusal? refusal = null;
        if (IPAddress.TryParse(target.Host, out var literal))
        {
            endPoints = [new IPEndPoint(literal, target.Port)];
            refusal = pinned.Count > 0 || AddressPolicy.IsPublic(literal) ? null : EgressRefusal.Address;
        }
        else
        {
            (endPoints, refusal) = await dialer.LookUpAsync(target.Host, target.Port, pinned.Contains, cancellationToken);
        }

        if (refusal is null && pinned.Count > 0 && !endPoints.All(pinned.Contains))
        {
            refusal = EgressRefusal.Address;
        }

        return refusal is null
            ? await dialer.DialAsync(endPoints, cancellationToken) ?? throw new TargetException(EgressRefusal.Unreachable)
            : throw new TargetException(refusal);
    }

    private static X509ChainPolicy Trust(string authorityFile)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        try
        {
            policy.CustomTrustStore.ImportFromPemFile(authorityFile);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new CredentialException($"authority_file '{authorityFile}' cannot be read: {problem.GetType().Name}");
        }

        return policy.CustomTrustStore.Count > 0 ? policy : throw new CredentialException($"authority_file '{authorityFile}' holds no certificate");
    }
}
