using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Drella.Core.Jobs;
using Drella.Core.Sandboxes;
using Microsoft.Extensions.Logging;

namespace Drella.Gateway.Doors;

/// <summary>The doors of every sandbox: unix sockets that say who calls, and tokens that die with their assignment.</summary>
public sealed class Gatehouse : IGatehouse, IAsyncDisposable
{
    private const int LongestSocketPath = 107;
    private const int FolderDigits = 12;
    private const int TokenBytes = 32;

    private readonly GatehouseOptions options;
    private readonly DoorSet behind;
    private readonly TimeProvider time;
    private readonly ILoggerFactory loggers;
    private readonly ConcurrentDictionary<SandboxName, SandboxDoors> open = new();
    private readonly SemaphoreSlim changing = new(1);

    internal Gatehouse(GatehouseOptions options, DoorSet behind, TimeProvider time, ILoggerFactory loggers)
    {
        if (!Path.IsPathFullyQualified(options.Folder) || Encoding.UTF8.GetByteCount(options.Folder) + FolderDigits + 3 > LongestSocketPath)
        {
            throw new ArgumentException(
                $"The folder of the doors must be absolute and at most {LongestSocketPath - FolderDigits - 3} bytes long: '{options.Folder}'.", nameof(options));
        }

        (this.options, this.behind, this.time, this.loggers) = (options, behind, time, loggers);
    }

    /// <inheritdoc/>
    public async Task<Core.Sandboxes.Doors> OpenAsync(SandboxName sandbox, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken);
        try
        {
            if (open.TryGetValue(sandbox, out var found))
            {
                return found.Sockets;
            }

            var made = await SandboxDoors.OpenAsync(FolderOf(sandbox), sandbox, behind, options, time, loggers, cancellationToken);
            open[sandbox] = made;
            return made.Sockets;
        }
        finally
        {
            changing.Release();
        }
    }

    /// <inheritdoc/>
    public string Admit(SandboxName sandbox, Assignment assignment, EgressPolicy egress, ModelPolicy model)
    {
        var doors = open.TryGetValue(sandbox, out var found)
            ? found
            : throw new InvalidOperationException($"The doors of {sandbox} are not open.");
        var token = "dt-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(TokenBytes));
        doors.Admit(assignment, egress, model, token);
        return token;
    }

    /// <inheritdoc/>
    public void Dismiss(SandboxName sandbox)
    {
        if (open.TryGetValue(sandbox, out var doors))
        {
            doors.Dismiss();
        }
    }

    /// <inheritdoc/>
    public DateTimeOffset? LastModelActivity(SandboxName sandbox) =>
        open.TryGetValue(sandbox, out var doors) ? doors.LastModelActivity : null;

    /// <inheritdoc/>
    public async Task CloseAsync(SandboxName sandbox, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken);
        try
        {
            if (open.TryRemove(sandbox, out var doors))
            {
                await doors.DisposeAsync();
            }

            SandboxDoors.Delete(FolderOf(sandbox));
        }
        finally
        {
            changing.Release();
        }
    }

    /// <summary>Closes every door.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var sandbox in open.Keys)
        {
            await CloseAsync(sandbox, CancellationToken.None);
        }

        changing.Dispose();
    }

    private string FolderOf(SandboxName sandbox) =>
        Path.Combine(options.Folder, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sandbox.Value)))[..FolderDigits]);
}
