using Gjoll.Wire;

namespace Gjoll.Guest.Tests.Wire;

public sealed class HandshakeTests
{
    private readonly byte[] _key = Handshake.Nonce();
    private readonly byte[] _host = Handshake.Nonce();
    private readonly byte[] _guest = Handshake.Nonce();

    [Fact]
    public void Handshake_SucceedsWithTheSameKey()
    {
        Assert.Equal(_host, Handshake.ReadHello(Handshake.Hello(_host)));
        Assert.Equal(_guest, Handshake.ReadWelcome(Handshake.Welcome(_key, _host, _guest), _key, _host));
        Assert.True(Handshake.IsProof(Handshake.Proof(_key, _host, _guest), _key, _host, _guest));
    }

    [Fact]
    public void Handshake_RefusesAnotherKeyNonceOrRole()
    {
        var other = Handshake.Nonce();
        Assert.Throws<WireException>(() => Handshake.ReadWelcome(Handshake.Welcome(other, _host, _guest), _key, _host));
        Assert.Throws<WireException>(() => Handshake.ReadWelcome(Handshake.Welcome(_key, other, _guest), _key, _host));
        Assert.False(Handshake.IsProof(Handshake.Proof(other, _host, _guest), _key, _host, _guest));
        Assert.False(Handshake.IsProof(Handshake.Proof(_key, _host, other), _key, _host, _guest));

        // The guest's proof sent back is not the host's.
        Assert.False(Handshake.IsProof(Handshake.Welcome(_key, _host, _guest).AsSpan(33), _key, _host, _guest));
        Assert.False(Handshake.IsProof([], _key, _host, _guest));
    }

    [Fact]
    public void Greetings_OfAWrongLengthOrVersionAreRefused()
    {
        for (var length = 0; length < 100; length++)
        {
            var payload = new byte[length];
            Assert.Throws<WireException>(() => Handshake.ReadHello(payload));
            Assert.Throws<WireException>(() => Handshake.ReadWelcome(payload, _key, _host));
        }
    }
}
