using System.Text;
using Drella.Core.Sandboxes;

namespace Drella.Bench.Journal;

/// <summary>A sandbox whose only program talks like Claude Code, as fast as it is listened to, until it has said so many bytes.</summary>
internal sealed class ChattyGuest(long bytes, Action<long> onProgress) : ISandbox
{
    public SandboxName Name => new("bench-1");

    public string Home => "/home/agent";

    public string Workspace => "/work";

    public string AgentFolder(string agent) => "/opt/agent";

    public Task<IGuestProcess> StartAsync(GuestCommand spec, CancellationToken cancellationToken) => Task.FromResult<IGuestProcess>(new Talker(bytes, onProgress));

    public Task WriteFileAsync(string path, Stream content, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task ReadFileAsync(string path, long maxBytes, Stream destination, CancellationToken cancellationToken) => throw new NotSupportedException();

    private sealed class Talker(long bytes, Action<long> onProgress) : IGuestProcess
    {
        public Stream StandardInput => Stream.Null;

        public Stream StandardOutput { get; } = new Speech(bytes, onProgress);

        public Stream StandardError => Stream.Null;

        public Task TerminateAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task<GuestExit> WaitAsync(CancellationToken cancellationToken) => Task.FromResult(new GuestExit(0, null));

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class Speech(long bytes, Action<long> onProgress) : Stream
    {
        private static readonly byte[] First = Line("""{"type":"system","subtype":"init","session_id":"s","model":"m","claude_code_version":"2","mcp_servers":[]}""");
        private static readonly byte[] Middle = Line(
            $$$"""{"type":"assistant","session_id":"s","message":{"id":"msg_1","model":"m","role":"assistant","content":[{"type":"text","text":"{{{new string('x', 1600)}}}"}]}}""");

        private static readonly byte[] Last = Line("""{"type":"result","subtype":"success","is_error":false,"result":"done","session_id":"s","num_turns":1}""");

        private ReadOnlyMemory<byte> current = First;
        private long said;
        private bool isOver;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => said; set => throw new NotSupportedException(); }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = 0;
            while (count < buffer.Length && (!current.IsEmpty || Next()))
            {
                var part = Math.Min(buffer.Length - count, current.Length);
                current[..part].CopyTo(buffer[count..]);
                current = current[part..];
                count += part;
            }

            said += count;
            onProgress(said);
            return ValueTask.FromResult(count);
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

        private static byte[] Line(string text) => Encoding.UTF8.GetBytes(text + "\n");

        private bool Next()
        {
            var isLast = said >= bytes;
            current = isOver ? default : isLast ? Last : Middle;
            isOver |= isLast;
            return !current.IsEmpty;
        }
    }
}
