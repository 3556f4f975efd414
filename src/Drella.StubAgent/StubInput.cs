using System.Threading.Channels;

namespace Drella.StubAgent;

/// <summary>Standard input, line by line, as the real agent reads it.</summary>
internal sealed class StubInput
{
    private readonly Channel<string> _taken = Channel.CreateUnbounded<string>();
    private readonly TaskCompletionSource<Task> _interrupted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes at the end of input.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    /// <summary>Completes, with a completed task, when an interrupt was asked for.</summary>
    public Task<Task> Interrupted => _interrupted.Task;

    public void Start(Func<string, Task> onLine) => Ended = Task.Run(() => ReadAsync(onLine));

    public void Interrupt() => _interrupted.TrySetResult(Task.CompletedTask);

    /// <summary>Waits for the next line; returns at the end of input too.</summary>
    public async Task NextAsync()
    {
        if (await _taken.Reader.WaitToReadAsync())
        {
            _taken.Reader.TryRead(out _);
        }
    }

    private async Task ReadAsync(Func<string, Task> onLine)
    {
        using var reader = new StreamReader(Console.OpenStandardInput());
        while (await reader.ReadLineAsync() is { } line)
        {
            await onLine(line);
            _taken.Writer.TryWrite(line);
        }

        _taken.Writer.TryComplete();
    }
}
