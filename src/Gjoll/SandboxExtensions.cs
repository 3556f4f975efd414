using Gjoll.Hosts;

namespace Gjoll;

/// <param name="Output">The last bytes of standard output.</param>
/// <param name="Error">The last bytes of standard error.</param>
/// <param name="OutputBytes">How much standard output there was in all.</param>
/// <param name="ErrorBytes">How much standard error there was in all.</param>
public sealed record RunResult(ExitStatus Exit, ReadOnlyMemory<byte> Output, ReadOnlyMemory<byte> Error, long OutputBytes, long ErrorBytes)
{
    public string OutputText => System.Text.Encoding.UTF8.GetString(Output.Span);

    public string ErrorText => System.Text.Encoding.UTF8.GetString(Error.Span);
}

public static class SandboxExtensions
{
    private const int Capture = 256 * 1024;

    // After the program has ended what it wrote is still under way; a descendant that keeps its pipes open does not keep the caller, silent or not.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(2);
    private const int MaxSilences = 30;

    /// <summary>Runs a program to its end with the given input and keeps a bounded tail of its output. Cancelling kills it.</summary>
    public static async Task<RunResult> RunAsync(this ISandbox sandbox, ExecSpec spec, ReadOnlyMemory<byte> input, CancellationToken cancellationToken)
    {
        await using var process = await sandbox.ExecAsync(spec with { OpenStandardInput = !input.IsEmpty }, cancellationToken);
        return await CollectAsync(process, input, cancellationToken);
    }

    public static Task<RunResult> RunAsync(this ISandbox sandbox, ExecSpec spec, CancellationToken cancellationToken) =>
        sandbox.RunAsync(spec, ReadOnlyMemory<byte>.Empty, cancellationToken);

    private static async Task<RunResult> CollectAsync(IGuestProcess process, ReadOnlyMemory<byte> input, CancellationToken cancellationToken)
    {
        var output = new TailBuffer(Capture);
        var error = new TailBuffer(Capture);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var streams = Task.WhenAll(
            FeedAsync(process.StandardInput, input, stop.Token),
            output.ReadAllAsync(process.StandardOutput, stop.Token),
            error.ReadAllAsync(process.StandardError, stop.Token));
        ExitStatus exit;
        try
        {
            exit = await process.WaitAsync(cancellationToken);
        }
        finally
        {
            if (!cancellationToken.IsCancellationRequested)
            {
                await DrainAsync(streams, output, error);
            }

            await stop.CancelAsync();
            try
            {
                await streams;
            }
            catch (Exception ended) when (ended is OperationCanceledException or IOException)
            {
                // Whoever asked for the end, and whatever else went wrong, is seen from the wait above.
            }
        }

        return new RunResult(exit, output.ToArray(), error.ToArray(), output.Total, error.Total);
    }

    /// <summary>Until the streams end, or nothing has come for a while.</summary>
    private static async Task DrainAsync(Task streams, TailBuffer output, TailBuffer error)
    {
        long seen = -1;
        for (var silences = 0; silences < MaxSilences && !streams.IsCompleted && seen != output.Total + error.Total; silences++)
        {
            seen = output.Total + error.Total;
            await streams.WaitAsync(Silence, TimeProvider.System, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task FeedAsync(Stream stream, ReadOnlyMemory<byte> input, CancellationToken cancellationToken)
    {
        if (input.IsEmpty)
        {
            return;
        }

        try
        {
            await stream.WriteAsync(input, cancellationToken);
            await stream.FlushAsync(cancellationToken);
            stream.Close();
        }
        catch (IOException)
        {
            // The program did not want all of it; its exit says whether that is well.
        }
    }
}
