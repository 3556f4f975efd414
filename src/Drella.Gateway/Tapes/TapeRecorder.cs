using System.Text;
using System.Text.Json;
using Drella.Gateway.Models;

namespace Drella.Gateway.Tapes;

/// <summary>Records what passes to and from a model, one JSON line per answered call, when the answer has been read or cut.</summary>
/// <param name="inner">The model.</param>
/// <param name="tape">Takes the lines; owned by the caller, who must not close it before the calls are over.</param>
public sealed class TapeRecorder(IModelUpstream inner, TextWriter tape) : IModelUpstream
{
    private readonly Lock writing = new();

    /// <inheritdoc/>
    public IReadOnlyList<string> Secrets => inner.Secrets;

    /// <inheritdoc/>
    public async Task<UpstreamAnswer> SendAsync(UpstreamCall call, CancellationToken cancellationToken)
    {
        var answer = await inner.SendAsync(call, cancellationToken);
        return new UpstreamAnswer(answer.Status, answer.Headers, new Tee(answer.Body, passed => Write(call, answer, passed)), answer);
    }

    private void Write(UpstreamCall call, UpstreamAnswer answer, string passed)
    {
        using var request = JsonDocument.Parse(call.Body);
        var who = call.Assignment;
        var type = answer.Headers.GetValueOrDefault("content-type", "");
        var exchange = new RecordedExchange(who.Role, who.Attempt, who.Round, call.PathAndQuery, request.RootElement, answer.Status, type, passed);
        var line = Secrets.Aggregate(
            JsonSerializer.Serialize(exchange, JsonSerializerOptions.Web), (text, secret) => text.Replace(secret, "[redacted]", StringComparison.Ordinal));
        lock (writing)
        {
            tape.WriteLine(line);
            tape.Flush();
        }
    }

    private sealed class Tee(Stream body, Action<string> done) : Stream
    {
        private readonly MemoryStream passed = new();
        private bool isDone;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = await body.ReadAsync(buffer, cancellationToken);
            passed.Write(buffer.Span[..count]);
            return count;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing && !isDone)
            {
                isDone = true;
                done(Encoding.UTF8.GetString(passed.GetBuffer(), 0, (int)passed.Length));
                passed.Dispose();
                body.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
