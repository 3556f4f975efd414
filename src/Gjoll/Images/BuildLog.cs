using System.Text;

namespace Gjoll.Images;

/// <summary>All that the programs of a build wrote, in one file that is kept when the build fails. Bounded: a program that never stops writing fills no disk.</summary>
internal sealed class BuildLog : IAsyncDisposable
{
    private const long MaxLength = 64L << 20;

    private readonly FileStream _file;
    private readonly SemaphoreSlim _gate = new(1);

    public BuildLog(string path)
    {
        Path = path;
        _file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read);
    }

    public string Path { get; }

    public Task WriteLineAsync(string line, CancellationToken cancellationToken) => WriteAsync(Encoding.UTF8.GetBytes(line + "\n"), cancellationToken);

    public async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_file.Length + bytes.Length <= MaxLength)
            {
                await _file.WriteAsync(bytes, cancellationToken);
                await _file.FlushAsync(cancellationToken);
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _file.DisposeAsync();
        _gate.Dispose();
    }
}
