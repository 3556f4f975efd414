using System.Runtime.InteropServices;
using Gjoll;
using Microsoft.Win32.SafeHandles;

namespace Terminal.Common;

/// <summary>A program of the guest on the streams of this process: input, output and error as they are, or a terminal with its size.</summary>
public sealed class GuestSession(ISandbox sandbox, TimeProvider time)
{
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(10);

    // Of a descendant that holds the streams after the program's end.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(100);

    /// <summary>Runs it to its end. An interruption is passed on as the signal that it was; who does not end of it is killed.</summary>
    public async Task<ExitStatus> RunAsync(ExecSpec spec, CancellationToken interruption)
    {
        var signal = GuestSignal.Interrupt;
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => signal = GuestSignal.Terminate);
        await using var process = await sandbox.ExecAsync(spec with { OpenStandardInput = true }, interruption);
        using var raw = spec.Terminal is null ? null : RawTerminal.Enter();
        using var resize = spec.Terminal is null ? null : PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => Resize(process));
        using var end = new CancellationTokenSource();
        var input = FeedAsync(process.StandardInput, end.Token);
        await using var standardOutput = Console.OpenStandardOutput();
        await using var standardError = Console.OpenStandardError();
        var output = new Pump(time);
        var error = new Pump(time);
        var streams = Task.WhenAll(output.RunAsync(process.StandardOutput, standardOutput, end.Token), error.RunAsync(process.StandardError, standardError, end.Token));
        var exit = await WaitAsync(process, () => signal, interruption);
        var ended = time.GetTimestamp();
        while (!streams.IsCompleted && !(output.IsSilentFor(Silence) && error.IsSilentFor(Silence))
            && !(interruption.IsCancellationRequested && time.GetElapsedTime(ended) > Farewell))
        {
            await Task.WhenAny(streams, Task.Delay(Glance, time, CancellationToken.None));
        }

        await end.CancelAsync();
        await streams.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // A read of our own standard input cannot be taken back; the end of this process ends it.
        _ = input;
        return exit;
    }

    private async Task<ExitStatus> WaitAsync(IGuestProcess process, Func<GuestSignal> signal, CancellationToken interruption)
    {
        try
        {
            return await process.WaitAsync(interruption);
        }
        catch (OperationCanceledException) when (interruption.IsCancellationRequested)
        {
            using var bounded = new CancellationTokenSource(Farewell, time);
            try
            {
                await process.SignalAsync(signal(), bounded.Token);
                return await process.WaitAsync(bounded.Token);
            }
            catch (OperationCanceledException)
            {
                using var last = new CancellationTokenSource(Farewell, time);
                await process.KillAsync(last.Token);
                return await process.WaitAsync(last.Token);
            }
        }
    }

    private static async Task FeedAsync(Stream guest, CancellationToken cancellationToken)
    {
        // Not the console's own stream: on a terminal that one edits lines, echoes, and puts the terminal back into the mode that this needs.
        using var descriptor = new SafeFileHandle(0, ownsHandle: false);
        await using var standardInput = new FileStream(descriptor, FileAccess.Read, bufferSize: 0);
        var buffer = new byte[64 * 1024];
        try
        {
            int read;
            while ((read = await Task.Run(() => standardInput.Read(buffer), cancellationToken)) > 0)
            {
                await guest.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                await guest.FlushAsync(cancellationToken);
            }

            guest.Close();
        }
        catch (Exception ended) when (ended is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The program reads no more, or has ended.
        }
    }

    private static void Resize(IGuestProcess process) =>
        // In the order of the signals; the last size counts, and a program that has ended needs none.
        process.ResizeAsync(RawTerminal.Size(), CancellationToken.None).ContinueWith(
            static failed => _ = failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    /// <summary>Copies a stream and knows since when nothing came.</summary>
    private sealed class Pump(TimeProvider time)
    {
        private long _waiting;
        private bool _ended;

        public bool IsSilentFor(TimeSpan span) => Volatile.Read(ref _ended) || (Volatile.Read(ref _waiting) is var since && since != 0 && time.GetElapsedTime(since) > span);

        public async Task RunAsync(Stream source, Stream destination, CancellationToken cancellationToken)
        {
            var buffer = new byte[64 * 1024];
            try
            {
                while (true)
                {
                    Volatile.Write(ref _waiting, time.GetTimestamp());
                    var read = await source.ReadAsync(buffer, cancellationToken);
                    Volatile.Write(ref _waiting, 0);
                    if (read == 0)
                    {
                        return;
                    }

                    await destination.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                    await destination.FlushAsync(cancellationToken);
                }
            }
            catch (IOException)
            {
                // Whoever read our output is gone, or the guest is: the program's exit tells which.
            }
            finally
            {
                Volatile.Write(ref _ended, true);
            }
        }
    }
}
