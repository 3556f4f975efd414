using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Drella.Drivers.Processes;

/// <summary>A host program that runs. Its streams have the pipe's back-pressure. Disposing ends its tree.</summary>
public sealed class HostProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _mark;
    private readonly TimeProvider _time;
    private readonly Dictionary<int, string> _tree = [];
    private bool _ended;

    internal HostProcess(Process process, string mark, TimeProvider time)
    {
        _mark = mark;
        _process = process;
        _time = time;
    }

    public int Id => _process.Id;

    public Stream StandardInput => _process.StandardInput.BaseStream;

    public Stream StandardOutput => _process.StandardOutput.BaseStream;

    public Stream StandardError => _process.StandardError.BaseStream;

    /// <summary>Completes with the exit code, 128 + n after signal n. What it left behind may still hold its streams.</summary>
    public async Task<int> WaitAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken);
        return _process.ExitCode;
    }

    /// <summary>Sends SIGTERM to it, not to its children.</summary>
    public void Terminate() => Signal(15);

    /// <summary>Sends SIGINT to it, not to its children.</summary>
    public void Interrupt() => Signal(2);

    /// <summary>Kills it and everything that descends from it.</summary>
    public void Kill()
    {
        ProcessTree.Collect(_process.Id, _mark, _tree);
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        ProcessTree.Kill(_tree);
    }

    /// <summary>Says that it has ended and that nothing of it is left, so that nothing need be searched for.</summary>
    internal void Settle() => _ended = true;

    /// <summary>Asks it to end, waits for the grace, then kills what is left of its tree. Success when it has ended already.</summary>
    public async Task EndAsync(TimeSpan grace)
    {
        if (_ended)
        {
            return;
        }

        _ended = true;
        // Collected before the end too: the children of a dead parent are known by their mark alone, which they may have dropped.
        ProcessTree.Collect(_process.Id, _mark, _tree);
        Terminate();
        try
        {
            await _process.WaitForExitAsync(CancellationToken.None).WaitAsync(grace, _time);
        }
        catch (TimeoutException)
        {
            // The kill below is for exactly this.
        }

        Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync(TimeSpan.Zero);
        _process.Dispose();
    }

    private void Signal(int signal)
    {
        if (!_process.HasExited)
        {
            _ = Native.Kill(_process.Id, signal);
        }
    }

    internal static class Native
    {
        [DllImport("libc", EntryPoint = "kill")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int Kill(int pid, int signal);
    }
}
