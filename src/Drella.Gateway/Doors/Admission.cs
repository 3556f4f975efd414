using System.Security.Cryptography;
using System.Text;
using Drella.Core.Jobs;
using Drella.Core.Sandboxes;
using Gjoll.Egress;
using EgressPolicy = Drella.Core.Sandboxes.EgressPolicy;

namespace Drella.Gateway.Doors;

/// <summary>One assignment let through one sandbox's doors. The token itself is not kept, only its digest.</summary>
/// <param name="assignment">Who is at work.</param>
/// <param name="egress">What it may reach.</param>
/// <param name="model">Which model answers it.</param>
/// <param name="token">What the guest shows.</param>
/// <param name="ended">Cancelled when the admission ends: calls under way are cut.</param>
internal sealed class Admission(Assignment assignment, EgressPolicy egress, ModelPolicy model, string token, CancellationToken ended) : IEgressAdmission
{
    private const int LongestToken = 256;
    private readonly byte[] digest = SHA256.HashData(Encoding.UTF8.GetBytes(token));

    public Assignment Assignment => assignment;

    public IReadOnlyList<string> AllowedHosts => egress.AllowedHosts;

    public bool NeedsToken => true;

    public ModelPolicy Model => model;

    public CancellationToken Ended => ended;

    /// <summary>True when the text is this admission's token and the admission is still on. Takes the same time for every text.</summary>
    public bool Accepts(ReadOnlySpan<char> shown)
    {
        if (shown.Length > LongestToken || ended.IsCancellationRequested)
        {
            return false;
        }

        Span<byte> text = stackalloc byte[LongestToken * 3];
        Span<byte> other = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text[..Encoding.UTF8.GetBytes(shown, text)], other);
        return CryptographicOperations.FixedTimeEquals(digest, other);
    }
}
