using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gjoll.Warden;

/// <summary>The standard streams of a program, such as an SSH client, as one stream. Disposing ends the program.</summary>
internal sealed class CommandLink : Stream
{
    private const int MaxComplaint = 300;
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly StringBuilder _complaint = new();
    private readonly Task _listening;

    private CommandLink(Process process)
    {
        _process = process;
        _listening = ListenAsync();
    }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="IOException">The file cannot be read, or the program cannot be started.</exception>
    public static CommandLink Start(string file)
    {
        string[] command;
        try
        {
            command = JsonSerializer.Deserialize(File.ReadAllBytes(file), CommandJson.Default.StringArray) is { Length: > 0 } read ? read : throw new IOException("the command of the link is empty");
        }
        catch (Exception broken) when (broken is JsonException or UnauthorizedAccessException)
        {
            throw new IOException("the command of the link cannot be read", broken);
        }

        try
        {
            return new CommandLink(Process.Start(new ProcessStartInfo(command[0], command[1..])
            {
                RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false, WorkingDirectory = "/",
            })!);
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            throw new IOException($"{command[0]} cannot be started: {missing.Message}", missing);
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await _process.StandardOutput.BaseStream.ReadAsync(buffer, cancellationToken);
        if (count == 0 && Complaint() is { Length: > 0 } complaint)
        {
            throw new IOException(complaint);
        }

        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _process.StandardInput.BaseStream.WriteAsync(buffer, cancellationToken);
        await _process.StandardInput.BaseStream.FlushAsync(cancellationToken);
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
        // Each write is flushed.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        _process.StandardInput.BaseStream.Dispose();
        _process.StandardOutput.BaseStream.Dispose();
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has ended.
        }

        await Task.WhenAny(_process.WaitForExitAsync(), Task.Delay(Farewell, TimeProvider.System));
        _process.StandardError.BaseStream.Dispose();
        await _listening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _process.Dispose();
        await base.DisposeAsync();
    }

    private string Complaint()
    {
        lock (_complaint)
        {
            return _complaint.ToString().Trim();
        }
    }

    /// <summary>The last of what it says, on one line.</summary>
    private async Task ListenAsync()
    {
        var buffer = new char[256];
        int count;
        while ((count = await _process.StandardError.ReadAsync(buffer)) > 0)
        {
            lock (_complaint)
            {
                foreach (var letter in buffer.AsSpan(0, count))
                {
                    _complaint.Append(letter is >= ' ' and <= '~' ? letter : ' ');
                }

                if (_complaint.Length > MaxComplaint)
                {
                    _complaint.Remove(0, _complaint.Length - MaxComplaint);
                }
            }
        }
    }
}

[JsonSerializable(typeof(string[]))]
internal sealed partial class CommandJson : JsonSerializerContext;
