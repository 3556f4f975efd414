using System.Text;

namespace Drella.Core.Agents;

/// <summary>The agent's standard input, written by several. An agent that is gone or does not read harms nobody.</summary>
internal sealed class AgentInput(Stream stream) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private volatile bool _closed;

    public async Task WriteLineAsync(string line, CancellationToken cancellationToken)
    {
        try
        {
            await _turn.WaitAsync(cancellationToken);
            try
            {
                if (!_closed)
                {
                    await stream.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"), cancellationToken);
                    await stream.FlushAsync(cancellationToken);
                }
            }
            finally
            {
                _turn.Release();
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // It did not read in time.
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException)
        {
            // It is gone; its exit and its last words tell why.
            _closed = true;
        }
    }

    public void Dispose() => _turn.Dispose();

    /// <summary>Ends its input. Idempotent.</summary>
    public async Task CloseAsync()
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        try
        {
            await stream.DisposeAsync();
        }
        catch (IOException)
        {
            // It is gone already.
        }
    }
}
