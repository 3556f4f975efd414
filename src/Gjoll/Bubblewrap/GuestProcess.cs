using System.Diagnostics;
using Gjoll.Hosts;
using Microsoft.Win32.SafeHandles;

namespace Gjoll.Bubblewrap;

/// <summary>One exec: the crossing process, which the host sees, and its only child, the program in the guest.</summary>
internal sealed class GuestProcess : IGuestProcess
{
    private const int HoldRounds = 50;

    private static readonly TimeSpan CrossingPoll = TimeSpan.FromMilliseconds(2);

    private readonly TimeProvider _time;
    private readonly Process _process;
    private readonly RunRecord _run;
    private readonly Task<ExitStatus> _ended;
    private readonly CancellationTokenSource _timeout;
    private readonly CancellationTokenRegistration _timer;
    private int _disposed;
    private int _cause = (int)ExitCause.Exited;

    public GuestProcess(Process process, SafeFileHandle? door, ExecSpec spec, RunRecord run, TimeProvider time)
    {
        _process = process;
        _run = run;
        _time = time;
        StandardInput = process.StandardInput.BaseStream;
        if (!spec.OpenStandardInput)
        {
            process.StandardInput.Close();
        }

        var limit = spec.OutputLimit is { } bytes ? new OutputLimit(bytes, () => End(ExitCause.OutputLimitReached)) : null;
        StandardOutput = LimitedStream.Wrap(process.StandardOutput.BaseStream, limit);
        StandardError = LimitedStream.Wrap(process.StandardError.BaseStream, limit);

        _timeout = spec.Timeout is { } timeout ? new CancellationTokenSource(timeout, time) : new CancellationTokenSource();
        _timer = _timeout.Token.Register(() => End(ExitCause.TimedOut));
        _ended = WatchAsync(door);
    }

    public string? Id => null;

    public int ProcessId => _process.Id;

    public long OutputOffset => ((LimitedStream)StandardOutput).Given;

    public long ErrorOffset => ((LimitedStream)StandardError).Given;

    public Stream StandardInput { get; }

    public Stream StandardOutput { get; }

    public Stream StandardError { get; }

    public async Task SignalAsync(GuestSignal signal, CancellationToken cancellationToken)
    {
        while (!_process.HasExited)
        {
            if (FindProgram() is { } program)
            {
                ProcessTable.Signal(program, (int)signal);
                return;
            }

            // It is still crossing.
            await Task.Delay(CrossingPoll, _time, cancellationToken);
        }
    }

    public async Task KillAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        KillTree();
        await _ended.WaitAsync(cancellationToken);
    }

    public Task ResizeAsync(TerminalSize size, CancellationToken cancellationToken) => throw new InvalidOperationException("The program has no terminal.");

    public Task AcknowledgeAsync(long output, long error, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(output, OutputOffset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(error, ErrorOffset);
        return Task.CompletedTask;
    }

    public Task<ExitStatus> WaitAsync(CancellationToken cancellationToken) => _ended.WaitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
        {
            return;
        }

        if (!_ended.IsCompleted)
        {
            KillTree();
            await _ended;
        }

        await _timer.DisposeAsync();
        _timeout.Dispose();
        HostProcess.Release(_process);
    }

    private async Task<ExitStatus> WatchAsync(SafeFileHandle? door)
    {
        await _process.WaitForExitAsync(CancellationToken.None);
        door?.Dispose();
        var cause = (ExitCause)Volatile.Read(ref _cause);
        if (cause == ExitCause.Exited && _process.ExitCode != 0 && !ProcessTable.IsStaying(_run.Init))
        {
            cause = ExitCause.SandboxStopped;
        }

        return new ExitStatus(_process.ExitCode, cause);
    }

    private void End(ExitCause cause)
    {
        Interlocked.CompareExchange(ref _cause, (int)cause, (int)ExitCause.Exited);
        KillTree();
    }

    /// <summary>Null before it has crossed and after it has ended. The crossing process has no other child in the guest.</summary>
    private ProcessIdentity? FindProgram() =>
        ProcessTable.ChildrenOf(_process.Id)
            .Where(id => ProcessTable.PidNamespaceOf(id) == _run.PidNamespace)
            .Select(ProcessTable.Identify)
            .OfType<ProcessIdentity>()
            .FirstOrDefault();

    /// <summary>Holds the whole tree first: what is killed one by one forks in between, and its children are then nobody's.</summary>
    private void KillTree()
    {
        if (_process.HasExited)
        {
            return;
        }

        var self = ProcessTable.Identify(_process.Id);
        var tree = new HashSet<ProcessIdentity>();
        for (var round = 0; round < HoldRounds; round++)
        {
            var fresh = ProcessTable.DescendantsOf(_process.Id).Where(tree.Add).ToList();
            if (fresh.Count == 0)
            {
                break;
            }

            fresh.ForEach(process => ProcessTable.Signal(process, (int)GuestSignal.Stop));
        }

        foreach (var process in tree)
        {
            ProcessTable.SignalKill(process);
        }

        if (self is not null)
        {
            ProcessTable.SignalKill(self);
        }
    }
}
