using System.Security.Cryptography;
using Drella.Core.Journal;

namespace Drella.Core.Steps;

/// <summary>Passes bytes on and keeps their count and SHA-256, so that the journal can vouch for the blob. Does not own what it writes to.</summary>
internal sealed class DigestingWriter(IBlobWriter inner) : IBlobWriter
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public long Length { get; private set; }

    public string Digest => Convert.ToHexStringLower(hash.GetCurrentHash());

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        hash.AppendData(bytes.Span);
        Length += bytes.Length;
        await inner.WriteAsync(bytes, cancellationToken);
    }

    public Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public ValueTask DisposeAsync()
    {
        hash.Dispose();
        return ValueTask.CompletedTask;
    }
}
