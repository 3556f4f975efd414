using System.Text;

namespace Gjoll.Egress.Tests;

public sealed class EgressRequestTests
{
    [Theory]
    [InlineData("CONNECT ok.test:443 HTTP/1.1\r\nHost: ok.test:443\r\n", "ok.test", 443)]
    [InlineData("CONNECT OK.test.:443 HTTP/1.1\r\nHost: ok.TEST:443\r\n", "ok.test", 443)]
    [InlineData("CONNECT ok.test:8443 HTTP/1.0\r\n", "ok.test", 8443)]
    [InlineData("CONNECT ok.test:443 HTTP/1.1\r\nHost: ok.test\r\nProxy-Connection: keep-alive\r\n", "ok.test", 443)]
    public void Tunnel_IsUnderstood(string head, string host, int port)
    {
        var tunnel = Assert.IsType<EgressRequest.Tunnel>(Read(head));

        Assert.Equal((host, port), (tunnel.Host.Value, tunnel.Port));
    }

    [Theory]
    [InlineData("CONNECT ok.test HTTP/1.1\r\n", "malformed-request")]
    [InlineData("CONNECT ok.test: HTTP/1.1\r\n", "malformed-request")]
    [InlineData("CONNECT ok.test:0443 HTTP/1.1\r\n", "malformed-request")]
    [InlineData("CONNECT ok.test:+443 HTTP/1.1\r\n", "malformed-request")]
    [InlineData("CONNECT ok.test:65536 HTTP/1.1\r\n", "malformed-request")]
    [InlineData("CONNECT ok.test:99999999999 HTTP/1.1\r\n", "malformed-request")]
    [InlineData("CONNECT 10.0.0.1:443 HTTP/1.1\r\n", "address-literal")]
    [InlineData("CONNECT [::1]:443 HTTP/1.1\r\n", "address-literal")]
    [InlineData("CONNECT ::1:443 HTTP/1.1\r\n", "address-literal")]
    [InlineData("CONNECT ok.test@evil.test:443 HTTP/1.1\r\n", "malformed-name")]
    [InlineData("CONNECT https://ok.test:443 HTTP/1.1\r\n", "address-literal")]
    [InlineData("CONNECT /etc/passwd:443 HTTP/1.1\r\n", "malformed-name")]
    [InlineData("CONNECT ok.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n", "host-mismatch")]
    [InlineData("CONNECT ok.test:443 HTTP/1.1\r\nHost: ok.test:80\r\n", "host-mismatch")]
    [InlineData("CONNECT ok.test:443 HTTP/1.1\r\nHost: ok.test\r\nHost: ok.test\r\n", "host-mismatch")]
    [InlineData("CONNECT ok.test:443 HTTP/1.1\r\nContent-Length: 5\r\n", "request-body")]
    [InlineData("CONNECT ok.test:443 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n", "request-body")]
    [InlineData("GET / HTTP/1.1\r\nHost: ok.test\r\n", "scheme")]
    [InlineData("GET https://ok.test/ HTTP/1.1\r\nHost: ok.test\r\n", "scheme")]
    [InlineData("GET ftp://ok.test/ HTTP/1.1\r\nHost: ok.test\r\n", "scheme")]
    [InlineData("OPTIONS * HTTP/1.1\r\nHost: ok.test\r\n", "scheme")]
    [InlineData("GET http:///x HTTP/1.1\r\nHost: \r\n", "malformed-name")]
    [InlineData("GET http://ok.test/#f HTTP/1.1\r\nHost: ok.test\r\n", "malformed-request")]
    [InlineData("GET http://ok.test\\@evil.test/ HTTP/1.1\r\nHost: ok.test\r\n", "malformed-name")]
    [InlineData("GET http://user:pw@ok.test/ HTTP/1.1\r\nHost: ok.test\r\n", "malformed-request")]
    [InlineData("GET http://user@ok.test/ HTTP/1.1\r\nHost: ok.test\r\n", "malformed-name")]
    [InlineData("GET http://0x7f.1/ HTTP/1.1\r\nHost: 0x7f.1\r\n", "address-literal")]
    [InlineData("GET http://[::ffff:127.0.0.1]/ HTTP/1.1\r\nHost: x\r\n", "address-literal")]
    [InlineData("GET http://ok.test/ HTTP/1.1\r\n", "host-mismatch")]
    [InlineData("GET http://ok.test/ HTTP/1.1\r\nHost: evil.test\r\n", "host-mismatch")]
    [InlineData("GET http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\nHost: evil.test\r\n", "host-mismatch")]
    [InlineData("GET http://ok.test/ HTTP/1.1\r\nHost: ok.test:81\r\n", "host-mismatch")]
    [InlineData("POST http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n", "request-body")]
    [InlineData("POST http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\nTransfer-Encoding: chunked\r\n", "request-body")]
    [InlineData("POST http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\nContent-Length: 5\r\nContent-Length: 5\r\n", "request-body")]
    [InlineData("POST http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\nContent-Length: 5, 5\r\n", "request-body")]
    [InlineData("POST http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\nContent-Length: +5\r\n", "request-body")]
    [InlineData("POST http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\nContent-Length: 0x5\r\n", "request-body")]
    [InlineData("POST http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\nContent-Length: -1\r\n", "request-body")]
    [InlineData("POST http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\nContent-Length: 99999999999999999999\r\n", "request-body")]
    public void Request_IsRefusedForItsForm(string head, string rule) =>
        Assert.Equal(rule, Assert.IsType<EgressRequest.Refused>(Read(head)).Refusal.Rule);

    [Fact]
    public void Plain_GoesOutInOriginFormWithoutWhatBelongsToTheHopOrIsACredential()
    {
        var plain = Assert.IsType<EgressRequest.Plain>(Read(
            "GET HTTP://OK.test:80/a?b=c HTTP/1.1\r\nhost: ok.test\r\nAccept: */*\r\nConnection: X-Hop, close\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n"
            + "Proxy-Authorization: Basic eDp5\r\nproxy-connection: close\r\nAuthorization: Bearer planted\r\nCookie: a=b\r\nUpgrade: h2c\r\n"
            + "HTTP2-Settings: AAA\r\nTE: trailers\r\nExpect: 100-continue\r\nX-Tab: \ta\tb\t\r\n"));

        Assert.Equal(
            "GET /a?b=c HTTP/1.1\r\nHost: ok.test\r\nAccept: */*\r\nX-Tab: a\tb\r\nConnection: close\r\n\r\n",
            Encoding.ASCII.GetString(plain.Head));
    }

    [Theory]
    [InlineData("http://ok.test", "GET / HTTP/1.1\r\nHost: ok.test\r\n")]
    [InlineData("http://ok.test?q", "GET /?q HTTP/1.1\r\nHost: ok.test\r\n")]
    [InlineData("http://ok.test//evil.test/", "GET //evil.test/ HTTP/1.1\r\nHost: ok.test\r\n")]
    [InlineData("http://ok.test:8080/", "GET / HTTP/1.1\r\nHost: ok.test:8080\r\n")]
    public void Plain_KeepsThePath(string target, string expected)
    {
        var authority = target["http://".Length..].Split('/', '?')[0];

        var plain = Assert.IsType<EgressRequest.Plain>(Read($"GET {target} HTTP/1.1\r\nHost: {authority}\r\n"));

        Assert.StartsWith(expected, Encoding.ASCII.GetString(plain.Head), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET http://ok.test/ HTTP/1.1\r\nHost: ok.test\r\n folded\r\n\r\n")]
    [InlineData("GET http://ok.test/ HTTP/1.1\r\nHost : ok.test\r\n\r\n")]
    [InlineData("GET http://ok.test/ HTTP/1.1\r\n: x\r\n\r\n")]
    [InlineData("GET http://ok.test/ HTTP/1.1\r\nBad Name: x\r\n\r\n")]
    [InlineData("GET http://ok.test/ HTTP/1.1\r\nNoColon\r\n\r\n")]
    [InlineData("GET http://ok.test/ HTTP/1.1\r\nX: a\rb\r\n\r\n")]
    [InlineData("GET http://ok.test/ HTTP/1.1\r\nX: a\nY: b\r\n\r\n")]
    [InlineData("GET http://ok.test/ HTTP/1.1\r\nX: a\0b\r\n\r\n")]
    [InlineData("GET http://ok.test/ HTTP/1.1\r\nX: \u00e9\r\n\r\n")]
    [InlineData("GET http://ok.test/ HTTP/1.1\r\nX: \u001b[0m\r\n\r\n")]
    [InlineData("GET  http://ok.test/ HTTP/1.1\r\n\r\n")]
    [InlineData("GET http://ok.test/ x HTTP/1.1\r\n\r\n")]
    [InlineData("GET\thttp://ok.test/\tHTTP/1.1\r\n\r\n")]
    [InlineData("GET http://ok.test/ HTTP/1.2\r\n\r\n")]
    [InlineData("GET http://ok.test/ HTTP/2.0\r\n\r\n")]
    [InlineData("GET http://ok.test/ http/1.1\r\n\r\n")]
    [InlineData("GET http://ok.test/\r\n\r\n")]
    [InlineData("get http://ok.test/ HTTP/1.1\r\n\r\n")]
    [InlineData("G@T http://ok.test/ HTTP/1.1\r\n\r\n")]
    [InlineData("\r\nGET http://ok.test/ HTTP/1.1\r\n\r\n")]
    [InlineData("\r\n\r\n")]
    public void Head_IsRefusedWhenTwoReadersCouldDiffer(string head) => Assert.Null(HttpHead.Parse(Encoding.Latin1.GetBytes(head)));

    [Fact]
    public void Head_HoldsAHundredFieldsAndNotOneMore()
    {
        Assert.NotNull(HttpHead.Parse(WithFields(100)));
        Assert.Null(HttpHead.Parse(WithFields(101)));

        static byte[] WithFields(int count) =>
            Encoding.ASCII.GetBytes("GET http://ok.test/ HTTP/1.1\r\n" + string.Concat(Enumerable.Repeat("X: y\r\n", count)) + "\r\n");
    }

    [Theory]
    [InlineData("Proxy-Authorization: Basic ZHJlbGxhOnQwazpu\r\n", "t0k:n")]
    [InlineData("proxy-authorization: basic ZHJlbGxhOnQwazpu\r\n", "t0k:n")]
    [InlineData("Proxy-Authorization: Bearer t0ken\r\n", "t0ken")]
    [InlineData("Authorization: Bearer t0ken\r\n", null)]
    [InlineData("Proxy-Authorization: Basic ZHJlbGxh\r\n", "")]
    [InlineData("Proxy-Authorization: Basic !!!\r\n", "")]
    [InlineData("Proxy-Authorization: Negotiate abc\r\n", "")]
    [InlineData("Proxy-Authorization: Bearer a\r\nProxy-Authorization: Bearer b\r\n", "")]
    public void Token_IsReadFromTheProxyFieldOnly(string fields, string? token) =>
        Assert.Equal(token, ProxyToken.Read(HttpHead.Parse(Encoding.ASCII.GetBytes("CONNECT ok.test:443 HTTP/1.1\r\n" + fields + "\r\n"))!));

    private static EgressRequest Read(string head) => EgressRequest.From(HttpHead.Parse(Encoding.ASCII.GetBytes(head + "\r\n"))!);
}
