using System.Diagnostics;
using Drella.Core;

namespace Drella.Drivers.Processes;

/// <summary>
/// The one way in which host programs are started. Thread-safe. No process outlives its call: its tree is asked to end, then killed, on time-out,
/// on overflow, on cancellation, and when it left children behind that hold its output.
/// </summary>
/// <param name="time">Clock of time-outs and graces.</param>
/// <param name="baseEnvironment">Environment of every process; null takes <see cref="DefaultEnvironment"/>.</param>
public sealed class ProcessRunner(TimeProvider time, IReadOnlyDictionary<string, string>? baseEnvironment = null)
{
    private const int ErrorTailBytes = 8 * 1024;

    /// <summary>The allow-list when the composition root gives none.</summary>
    public static IReadOnlyDictionary<string, string> DefaultEnvironment { get; } = new Dictionary<string, string>
    {
        ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ["LANG"] = "C.UTF-8",
    };

    /// <summary>Runs it to its end; an exit code other than 0 is a <see cref="DriverException"/> with the end of standard error.</summary>
    public async Task<ProcessResult> RunCheckedAsync(ProcessSpec spec, CancellationToken cancellationToken)
    {
        var result = await RunAsync(spec, cancellationToken);
        return result.IsSuccess
            ? result
            : throw new DriverException(false, $"'{spec.Title}' ended with code {result.ExitCode}: {result.ErrorTail}");
    }

    /// <summary>Runs it to its end, whatever the exit code.</summary>
    /// <exception cref="DriverException">It could not be started, took too long or said too much.</exception>
    public async Task<ProcessResult> RunAsync(ProcessSpec spec, CancellationToken cancellationToken)
    {
        await using var process = Start(spec);
        using var deadline = new CancellationTokenSource(spec.Timeout, time);
        using var overflow = new CancellationTokenSource();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token, overflow.Token);

        var collected = new MemoryStream();
        var errorTail = new ByteTail(ErrorTailBytes);
        var output = CopyAsync(process.StandardOutput, spec.Output ?? collected, spec.MaxOutput, overflow, stop.Token);
        var error = errorTail.DrainAsync(process.StandardError, stop.Token);
        var input = FeedAsync(process.StandardInput, spec.Input, stop.Token);
        try
        {
            var exitCode = await process.WaitAsync(stop.Token);
            // Children that were left behind may hold the pipes open for ever.
            await Task.WhenAll(output, error).WaitAsync(spec.Grace, time, stop.Token);
            process.Settle();
            return new ProcessResult(exitCode, collected.GetBuffer().AsMemory(0, (int)collected.Length), errorTail.ToString());
        }
        catch (TimeoutException)
        {
            throw new DriverException(false, $"'{spec.Title}' ended but left processes behind that hold its output: {errorTail}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw overflow.IsCancellationRequested
                ? new DriverException(false, $"'{spec.Title}' said more than {spec.MaxOutput} bytes.") { Failure = DriverFailure.Exhausted }
                : new DriverException(true, $"'{spec.Title}' took longer than {spec.Timeout}: {errorTail}");
        }
        finally
        {
            await stop.CancelAsync();
            await process.EndAsync(spec.Grace);
            await Task.WhenAll(output, error, input).ContinueWith(
                static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    /// <summary>Starts it and leaves its streams to the caller, who disposes it: that ends the tree. The spec's streams and bounds are not used.</summary>
    public HostProcess Start(ProcessSpec spec)
    {
        var start = new ProcessStartInfo(spec.Program, spec.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = spec.WorkingFolder ?? "/",
        };
        start.Environment.Clear();
        foreach (var (name, value) in (baseEnvironment ?? DefaultEnvironment).Concat(spec.Environment))
        {
            start.Environment[name] = value;
        }

        var mark = Guid.CreateVersion7(time.GetUtcNow()).ToString("N");
        start.Environment[ProcessTree.Mark] = mark;
        try
        {
            return new HostProcess(Process.Start(start) ?? throw new UnreachableException(), mark, time);
        }
        catch (System.ComponentModel.Win32Exception failure)
        {
            throw new DriverException(false, $"'{spec.Program}' could not be started: {failure.Message}", failure)
            {
                Failure = DriverFailure.NotFoundOrNoAccess,
            };
        }
    }

    private static async Task CopyAsync(Stream from, Stream to, long max, CancellationTokenSource overflow, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        int read;
        while ((read = await from.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if ((max -= read) < 0)
            {
                await overflow.CancelAsync();
                return;
            }

            await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }
    }

    private static async Task FeedAsync(Stream to, Stream? from, CancellationToken cancellationToken)
    {
        try
        {
            await using (to)
            {
                if (from is not null)
                {
                    await from.CopyToAsync(to, cancellationToken);
                }
            }
        }
        catch (IOException)
        {
            // It ended, or closed its input, without reading all of it. Its exit code tells whether that matters.
        }
    }
}
