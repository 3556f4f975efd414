using Drella.Core.Jobs;

namespace Drella.Gateway.Models;

/// <summary>
/// Where model calls go: a provider, or a tape. Concurrent. A failure to connect is an <see cref="HttpRequestException"/> or
/// <see cref="IOException"/>; every HTTP status is an answer.
/// </summary>
public interface IModelUpstream
{
    /// <summary>Returns as soon as the head of the answer is known; its body streams.</summary>
    Task<UpstreamAnswer> SendAsync(UpstreamCall call, CancellationToken cancellationToken);

    /// <summary>Text that no guest may ever see, such as the credential.</summary>
    IReadOnlyList<string> Secrets { get; }
}

/// <param name="Assignment">Who calls; chooses the script of a tape.</param>
/// <param name="PathAndQuery">One of the fixed paths.</param>
/// <param name="Headers">The allowed ones only; no credential among them.</param>
/// <param name="Body">The checked request.</param>
public sealed record UpstreamCall(
    Assignment Assignment, string PathAndQuery, IReadOnlyList<KeyValuePair<string, string>> Headers, ReadOnlyMemory<byte> Body)
{
    /// <summary>The agent's subagent that calls, when the agent says so. For tapes; no provider sees it.</summary>
    public string? Subagent { get; init; }
}

/// <summary>An answer's head and the stream of its body. Disposing it cuts what has not been read.</summary>
public sealed class UpstreamAnswer(int status, IReadOnlyDictionary<string, string> headers, Stream body, IDisposable? owner = null) : IDisposable
{
    public int Status => status;

    /// <summary>Names in lower case.</summary>
    public IReadOnlyDictionary<string, string> Headers => headers;

    public Stream Body => body;

    public void Dispose()
    {
        body.Dispose();
        owner?.Dispose();
    }
}
