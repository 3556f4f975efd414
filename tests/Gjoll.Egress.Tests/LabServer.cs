using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Gjoll.Egress.Tests;

/// <summary>A server that counts who comes and does one thing with each.</summary>
internal sealed class LabServer : IDisposable
{
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private int connections;

    private LabServer(Func<Stream, Task> serve)
    {
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(16);
        _ = AcceptAsync(serve);
    }

    public int Port => ((IPEndPoint)listener.LocalEndPoint!).Port;

    public int Connections => Volatile.Read(ref connections);

    /// <summary>Every byte that came, of all connections.</summary>
    public StringBuilder Received { get; } = new();

    public static LabServer Http(string answer)
    {
        LabServer? server = null;
        server = new LabServer(async stream =>
        {
            var buffer = new byte[8192];
            while (!server!.Received.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
            {
                var read = await stream.ReadAsync(buffer);
                if (read == 0)
                {
                    return;
                }

                server.Received.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }

            await stream.WriteAsync(Encoding.ASCII.GetBytes(answer));
        });
        return server;
    }

    public static LabServer Tls(string host, Func<Stream, Task> serve) => Tls(Certificate(host), serve);

    public static LabServer Tls(X509Certificate2 certificate, Func<Stream, Task> serve)
    {
        return new LabServer(async stream =>
        {
            await using var tls = new SslStream(stream);
            await tls.AuthenticateAsServerAsync(certificate);
            await serve(tls);
        });
    }

    public static LabServer Raw(Func<Stream, Task> serve) => new(serve);

    public void Dispose() => listener.Dispose();

    private async Task AcceptAsync(Func<Stream, Task> serve)
    {
        try
        {
            while (true)
            {
                using var stream = new NetworkStream(await listener.AcceptAsync(), ownsSocket: true);
                Interlocked.Increment(ref connections);
                try
                {
                    await serve(stream);
                }
                catch (Exception problem) when (problem is IOException or System.Security.Authentication.AuthenticationException)
                {
                    // The connection was cut; the next is served all the same.
                }
            }
        }
        catch (Exception problem) when (problem is SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    /// <summary>Every request of <see cref="Answering"/>: its head and its body of a known length or in chunks.</summary>
    public ConcurrentQueue<(string Head, string Body)> Requests { get; } = new();

    /// <summary>Answers each connection's one request as told.</summary>
    public static LabServer Answering(Func<string, string, string> answer)
    {
        LabServer? server = null;
        server = new LabServer(async stream =>
        {
            var request = await ReadRequestAsync(stream);
            server!.Requests.Enqueue(request);
            await stream.WriteAsync(Encoding.Latin1.GetBytes(answer(request.Head, request.Body)));
        });
        return server;
    }

    public static async Task<(string Head, string Body)> ReadRequestAsync(Stream stream)
    {
        var text = new StringBuilder();
        var buffer = new byte[8192];
        while (true)
        {
            var end = text.ToString().IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end >= 0)
            {
                var (head, body) = (text.ToString()[..end], text.ToString()[(end + 4)..]);
                var length = head.Split("\r\n").Where(line => line.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase))
                    .Select(line => int.Parse(line[16..], CultureInfo.InvariantCulture)).FirstOrDefault();
                var isChunked = head.Contains("Transfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase);
                if (isChunked ? body.EndsWith("0\r\n\r\n", StringComparison.Ordinal) : body.Length >= length)
                {
                    return (head, body);
                }
            }

            var read = await stream.ReadAsync(buffer);
            text.Append(read > 0 ? Encoding.Latin1.GetString(buffer, 0, read) : throw new IOException("the request ended early"));
        }
    }

    public static X509Certificate2 Certificate(string host)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
