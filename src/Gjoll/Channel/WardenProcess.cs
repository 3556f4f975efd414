using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gjoll.Hosts;

namespace Gjoll.Channel;

/// <summary>
/// The warden of one sandbox as a process: it is started in a session of its own, so that it outlives whoever started it, and is known again by its number
/// and start time. Callers hold the lock of the sandbox's name.
/// </summary>
internal static class WardenProcess
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan EndPoll = TimeSpan.FromMilliseconds(2);

    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes a new key for the sandbox, for its owner alone.</summary>
    public static byte[] MakeKey(string file)
    {
        var key = RandomNumberGenerator.GetBytes(Wire.Handshake.KeySize);
        Replace(file, key);
        return key;
    }

    /// <summary>Writes the table that the warden reads at its start and on SIGHUP: the host sockets in the order of the forwards.</summary>
    public static void WriteForwards(string file, IReadOnlyList<string> sockets) =>
        Replace(file, JsonSerializer.SerializeToUtf8Bytes([.. sockets], ForwardFileJson.Default.StringArray));

    /// <summary>Starts it and returns when clients can connect.</summary>
    /// <param name="program">The warden.</param>
    /// <param name="arguments">Paths only.</param>
    /// <param name="environment">The mark of the sandbox.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends it again.</param>
    public static async Task<ProcessIdentity> StartAsync(
        string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, TimeProvider time, CancellationToken cancellationToken)
    {
        // The child of a .NET process leads no group, so setsid does not fork and the number stays.
        var process = HostProcess.Start(["setsid", program, .. arguments], environment);
        var error = new TailBuffer(4096);
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bounded.CancelAfter(StartPatience);
        var errors = error.ReadAllAsync(process.StandardError.BaseStream, bounded.Token);
        var ready = false;
        try
        {
            process.StandardInput.Close();
            ready = await process.StandardOutput.ReadLineAsync(bounded.Token) == "ready";
            if (ready && ProcessTable.Identify(process.Id) is { } identity)
            {
                return identity;
            }

            await errors;
            throw new GjollException($"The warden did not start: {error.ToString().Trim()}", isTransient: true);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new GjollException($"The warden did not start within {StartPatience}.", isTransient: true);
        }
        finally
        {
            await bounded.CancelAsync();
            await errors.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!ready && !process.HasExited)
            {
                process.Kill();
            }

            HostProcess.Release(process);
        }
    }

    /// <summary>Ends it, whatever it is doing. Gone already is success.</summary>
    public static async Task StopAsync(ProcessIdentity warden, TimeProvider time, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (ProcessTable.IsAlive(warden))
        {
            ProcessTable.SignalKill(warden);
            if (time.GetElapsedTime(started) > EndPatience)
            {
                throw new GjollException($"The warden {warden.Id} does not end.", isTransient: true);
            }

            await Task.Delay(EndPoll, time, cancellationToken);
        }
    }

    /// <summary>Lets it read the table of forwards again. Gone already is success: the next one reads it at its start.</summary>
    public static void Refresh(ProcessIdentity warden) => ProcessTable.Signal(warden, (int)GuestSignal.Hangup);

    private static void Replace(string file, byte[] content)
    {
        var draft = file + ".new";
        File.Delete(draft);
        using (var stream = new FileStream(draft, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Private }))
        {
            stream.Write(content);
        }

        File.Move(draft, file, overwrite: true);
    }
}

[JsonSerializable(typeof(string[]))]
internal sealed partial class ForwardFileJson : JsonSerializerContext;
