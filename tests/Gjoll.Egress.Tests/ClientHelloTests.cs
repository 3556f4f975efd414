using System.Net.Security;

namespace Gjoll.Egress.Tests;

public sealed class ClientHelloTests
{
    public static TheoryData<byte[]> NotHellos => new((byte[][])
    [
        "SSH-2.0-OpenSSH_9.2\r\n"u8.ToArray(),
        "GET / HTTP/1.1\r\n\r\n"u8.ToArray(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray(),
        [0],
        [0x80, 0x2e, 1, 3, 1],
        [22, 2, 0, 0, 5],
        [22, 3, 5, 0, 5],
        [22, 3, 1, 0, 0],
        [22, 3, 1, 0xff, 0xff],
        Hello.Record([1, 0, 0, 1, 0], type: 23),
        Hello.Record(Hello.Handshake(Hello.Body([]), type: 2)),
        Hello.Record([1, 0xff, 0xff, 0xff]),
        Hello.Record([.. Hello.For("ok.test")[5..], 0]),
        Hello.Record(Hello.Handshake([3, 3])),
        Hello.Record(Hello.Handshake([.. Hello.Body([]), 0])),
        Hello.Record(Hello.Handshake(Hello.Body([0, 0, 0]))),
        Hello.Record(Hello.Handshake(Hello.Body(Hello.Extension(0, [])))),
        Hello.Record(Hello.Handshake(Hello.Body(Hello.Extension(0, [0, 0])))),
        Hello.Record(Hello.Handshake(Hello.Body(Hello.Extension(0, Hello.ServerNames((0, [])))))),
        Hello.Record(Hello.Handshake(Hello.Body(Hello.Extension(0, Hello.ServerNames((1, [65])))))),
        Hello.Record(Hello.Handshake(Hello.Body(Hello.Extension(0, Hello.ServerNames((0, "ok.test"u8.ToArray()), (0, "evil.test"u8.ToArray())))))),
        Hello.Record(Hello.Handshake(Hello.Body(Hello.Extension(0, [.. Hello.ServerNames((0, "ok.test"u8.ToArray())), 0])))),
        Hello.For("ok.test", (0, Hello.ServerNames((0, "evil.test"u8.ToArray())))),
        Hello.For("evil\0.ok.test"),
        Hello.For("ok.test\u00ff"),
        Hello.For("ok.test", (21, new byte[ClientHello.MaxHandshake])),
    ]);

    [Theory]
    [MemberData(nameof(NotHellos))]
    public void Read_SeesThatItIsNoHello(byte[] bytes) => Assert.IsType<ClientHello.NotTls>(ClientHello.Read(bytes));

    [Theory]
    [InlineData("ok.test")]
    [InlineData(null)]
    public void Read_FindsTheServerNameHoweverTheBytesAreCut(string? name)
    {
        var whole = Hello.For(name, (16, [0, 3, 2, (byte)'h', (byte)'2']));
        foreach (var bytes in (byte[][])[whole, Hello.Cut(whole, 1), Hello.Cut(whole, 7)])
        {
            for (var length = 0; length < bytes.Length; length++)
            {
                var incomplete = Assert.IsType<ClientHello.Incomplete>(ClientHello.Read(bytes.AsSpan(0, length)));
                Assert.InRange(incomplete.Needed, length + 1, bytes.Length);
            }

            Assert.Equal(new ClientHello.Complete(name, IsEncrypted: false), ClientHello.Read(bytes));
            Assert.Equal(new ClientHello.Complete(name, IsEncrypted: false), ClientHello.Read([.. bytes, 20, 3, 3, 0, 1, 1]));
        }
    }

    [Fact]
    public void Read_SeesThatAnotherNameMayBeHidden() =>
        Assert.Equal(new ClientHello.Complete("ok.test", IsEncrypted: true), ClientHello.Read(Hello.For("ok.test", (0xfe0d, [0, 1, 2]))));

    [Fact]
    public void Read_SurvivesEveryFlippedBit()
    {
        var bytes = Hello.For("ok.test", (16, [0, 3, 2, (byte)'h', (byte)'2']), (10, [0, 2, 0, 29]));
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            var flipped = (byte[])bytes.Clone();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));

            Assert.NotNull(ClientHello.Read(flipped));
        }
    }

    [Fact]
    public async Task Read_UnderstandsARealClient()
    {
        var sent = new MemoryStream();
        await using var tls = new SslStream(new HelloSink(sent));

        await Assert.ThrowsAnyAsync<Exception>(() => tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = "ok.test" }, TestContext.Current.CancellationToken));

        var hello = Assert.IsType<ClientHello.Complete>(ClientHello.Read(sent.ToArray()));
        Assert.Equal("ok.test", hello.ServerName);
        Assert.False(hello.IsEncrypted);
    }

    /// <summary>Takes what is written and has nothing to say.</summary>
    private sealed class HelloSink(MemoryStream sent) : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => sent.WriteAsync(buffer, cancellationToken);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(0);
    }
}
