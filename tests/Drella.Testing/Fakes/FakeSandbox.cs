using System.IO.Pipelines;
using System.Text;
using Drella.Core.Sandboxes;

namespace Drella.Testing.Fakes;

/// <summary>A sandbox in memory. Its one program is a function that plays the guest's side of the pipes.</summary>
public sealed class FakeSandbox(Func<FakeGuest, Task<GuestExit>> program) : ISandbox
{
    public SandboxName Name { get; init; } = new("jfake-1");

    public string Home => "/home/agent";

    public string Workspace => "/home/agent/work";

    /// <summary>Files as written, by path.</summary>
    public Dictionary<string, byte[]> Files { get; } = [];

    /// <summary>Commands as started, in order.</summary>
    public List<GuestCommand> Commands { get; } = [];

    /// <summary>The program that runs or ran last.</summary>
    public FakeGuest? Guest { get; private set; }

    public string AgentFolder(string agent) => $"/opt/{agent}";

    public Task<IGuestProcess> StartAsync(GuestCommand spec, CancellationToken cancellationToken)
    {
        Commands.Add(spec);
        Guest = new FakeGuest(spec);
        Guest.Begin(program);
        return Task.FromResult<IGuestProcess>(Guest);
    }

    public async Task WriteFileAsync(string path, Stream content, CancellationToken cancellationToken)
    {
        var copy = new MemoryStream();
        await content.CopyToAsync(copy, cancellationToken);
        Files[path] = copy.ToArray();
    }

    public async Task ReadFileAsync(string path, long maxBytes, Stream destination, CancellationToken cancellationToken)
    {
        if (!Files.TryGetValue(path, out var bytes))
        {
            throw new Core.DriverException(false, $"{path} is absent.") { Failure = Core.DriverFailure.NotFoundOrNoAccess };
        }

        if (bytes.Length > maxBytes)
        {
            throw new Core.DriverException(false, $"{path} is too long.") { Failure = Core.DriverFailure.Exhausted };
        }

        await destination.WriteAsync(bytes, cancellationToken);
    }
}

/// <summary>The guest's side of a running program, over pipes that hold 64 KiB.</summary>
public sealed class FakeGuest : IGuestProcess
{
    private readonly Pipe _input = new();
    private readonly Pipe _output = new(new PipeOptions(pauseWriterThreshold: 64 * 1024, resumeWriterThreshold: 32 * 1024));
    private readonly Pipe _error = new();
    private readonly TaskCompletionSource<GuestExit> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _terminated = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _killed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly StreamReader _lines;

    public FakeGuest(GuestCommand command)
    {
        Command = command;
        StandardInput = _input.Writer.AsStream();
        StandardOutput = _output.Reader.AsStream();
        StandardError = _error.Reader.AsStream();
        Output = _output.Writer.AsStream();
        Error = _error.Writer.AsStream();
        _lines = new StreamReader(_input.Reader.AsStream());
    }

    public GuestCommand Command { get; }

    public Stream StandardInput { get; }

    public Stream StandardOutput { get; }

    public Stream StandardError { get; }

    /// <summary>What the program writes to.</summary>
    public Stream Output { get; }

    public Stream Error { get; }

    /// <summary>Completes when it was asked to end.</summary>
    public Task Terminated => _terminated.Task;

    /// <summary>Completes when it was killed.</summary>
    public Task Killed => _killed.Task;

    /// <summary>True leaves standard output open after the exit, as a child left behind does.</summary>
    public bool KeepOutputOpen { get; set; }

    public Task<string?> ReadLineAsync() => _lines.ReadLineAsync();

    /// <summary>Reads to the end of input.</summary>
    public Task<string> ReadToEndAsync() => _lines.ReadToEndAsync();

    public async Task WriteLineAsync(string line)
    {
        await Output.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"));
        await Output.FlushAsync();
    }

    public Task TerminateAsync(CancellationToken cancellationToken)
    {
        _terminated.TrySetResult();
        return Task.CompletedTask;
    }

    public Task<GuestExit> WaitAsync(CancellationToken cancellationToken) => _exit.Task.WaitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        _killed.TrySetResult();
        _exit.TrySetResult(new GuestExit(null, 9));
        await _output.Writer.CompleteAsync();
        await _error.Writer.CompleteAsync();
    }

    internal void Begin(Func<FakeGuest, Task<GuestExit>> program) => _ = RunAsync(program);

    private async Task RunAsync(Func<FakeGuest, Task<GuestExit>> program)
    {
        var ran = Task.Run(() => program(this));
        await Task.WhenAny(ran);
        if (!KeepOutputOpen)
        {
            await _output.Writer.CompleteAsync();
            await _error.Writer.CompleteAsync();
        }

        if (ran.IsCompletedSuccessfully)
        {
            _exit.TrySetResult(await ran);
        }
        else
        {
            // After a kill nothing comes of it: the exit is set.
            _exit.TrySetException(ran.Exception?.InnerExceptions ?? (IEnumerable<Exception>)[new OperationCanceledException()]);
        }
    }
}
