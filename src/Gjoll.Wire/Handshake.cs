using System.Security.Cryptography;

namespace Gjoll.Wire;

/// <summary>
/// Both ends of a guest link prove that they know the sandbox's key, without sending it. Payloads:
/// <code>
/// Hello    version (1) | host nonce (32)
/// Welcome  version (1) | guest nonce (32) | HMAC-SHA256(key, "guest" | host nonce | guest nonce)
/// Proof    HMAC-SHA256(key, "host" | guest nonce | host nonce)
/// </code>
/// A client on the warden's own socket sends a Hello without a nonce and gets a Welcome without one: the socket's folder is its proof.
/// </summary>
public static class Handshake
{
    public const int NonceSize = 32;

    public const int KeySize = 32;

    /// <summary>Fresh bytes of the kernel; the framework's own random numbers need OpenSSL, which an empty machine does not have.</summary>
    public static byte[] Nonce()
    {
        var nonce = new byte[NonceSize];
        using var kernel = File.OpenHandle("/dev/urandom");
        return RandomAccess.Read(kernel, nonce, 0) == nonce.Length ? nonce : throw new IOException("the kernel gave too few random bytes");
    }

    public static byte[] Hello(ReadOnlySpan<byte> hostNonce) => [WireLimits.Version, .. hostNonce];

    public static byte[] Welcome(ReadOnlySpan<byte> key, ReadOnlySpan<byte> hostNonce, ReadOnlySpan<byte> guestNonce) =>
        [WireLimits.Version, .. guestNonce, .. Prove(key, "guest"u8, hostNonce, guestNonce)];

    public static byte[] Proof(ReadOnlySpan<byte> key, ReadOnlySpan<byte> hostNonce, ReadOnlySpan<byte> guestNonce) => Prove(key, "host"u8, guestNonce, hostNonce);

    /// <summary>The host's nonce; a wrong version or length is a <see cref="WireException"/>.</summary>
    public static byte[] ReadHello(ReadOnlySpan<byte> payload) => Versioned(payload, NonceSize).ToArray();

    /// <summary>The guest's nonce, when its proof holds for the key.</summary>
    public static byte[] ReadWelcome(ReadOnlySpan<byte> payload, ReadOnlySpan<byte> key, ReadOnlySpan<byte> hostNonce)
    {
        var body = Versioned(payload, NonceSize + HmacSha256.Size);
        var guestNonce = body[..NonceSize];
        return CryptographicOperations.FixedTimeEquals(body[NonceSize..], Prove(key, "guest"u8, hostNonce, guestNonce))
            ? guestNonce.ToArray()
            : throw new WireException("the guest does not know the sandbox's key");
    }

    public static bool IsProof(ReadOnlySpan<byte> payload, ReadOnlySpan<byte> key, ReadOnlySpan<byte> hostNonce, ReadOnlySpan<byte> guestNonce) =>
        CryptographicOperations.FixedTimeEquals(payload, Proof(key, hostNonce, guestNonce));

    private static ReadOnlySpan<byte> Versioned(ReadOnlySpan<byte> payload, int length) =>
        payload.Length != 1 + length ? throw new WireException("a greeting of a wrong length came")
        : payload[0] != WireLimits.Version ? throw new WireException($"the other side speaks version {payload[0]}, not {WireLimits.Version}")
        : payload[1..];

    private static byte[] Prove(ReadOnlySpan<byte> key, ReadOnlySpan<byte> side, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second) =>
        HmacSha256.Compute(key, [.. side, .. first, .. second]);
}
