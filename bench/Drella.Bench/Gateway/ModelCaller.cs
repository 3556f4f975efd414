using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;

namespace Drella.Bench.Gateway;

/// <summary>One answer, timed.</summary>
/// <param name="FirstByte">From the call to the body's first byte.</param>
/// <param name="Whole">From the call to its last.</param>
internal readonly record struct TimedAnswer(TimeSpan FirstByte, TimeSpan Whole, long Bytes);

/// <summary>Makes model calls as an agent does: a long request, a streamed answer, one connection kept open.</summary>
internal sealed class ModelCaller : IDisposable
{
    private static readonly byte[] Body = Encoding.UTF8.GetBytes(
        $$$"""{"model":"claude-sonnet-4-5","max_tokens":32000,"stream":true,"system":"{{{new string('s', 60_000)}}}","messages":[{"role":"user","content":"Greet loudly."}]}""");

    private readonly HttpClient http;
    private readonly Uri address;
    private readonly byte[] buffer = new byte[64 << 10];

    private ModelCaller(HttpClient http, Uri address) => (this.http, this.address) = (http, address);

    public static ModelCaller Direct(Uri provider) => new(new HttpClient(), new Uri(provider, "/v1/messages"));

    public static ModelCaller Through(string socket, string token)
    {
        var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellationToken);
                return new NetworkStream(connection, ownsSocket: true);
            },
        });
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return new ModelCaller(http, new Uri("http://gateway/v1/messages"));
    }

    public async Task<TimedAnswer> CallAsync(CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent(Body) };
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        await using var stream = await response.EnsureSuccessStatusCode().Content.ReadAsStreamAsync(cancellationToken);
        long bytes = await stream.ReadAsync(buffer, cancellationToken);
        var first = watch.Elapsed;
        while (await stream.ReadAsync(buffer, cancellationToken) is > 0 and var more)
        {
            bytes += more;
        }

        return new TimedAnswer(first, watch.Elapsed, bytes);
    }

    public void Dispose() => http.Dispose();
}
