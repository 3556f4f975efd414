using Gjoll.Wire;

namespace Gjoll.Channel;

/// <summary>
/// What every provider's sandboxes do the same way: programs, files and connections, over the sandbox's warden. One for each sandbox and host process; it
/// connects when it is first used, again when the connection was lost, and holds nothing that another could not make anew.
/// </summary>
internal sealed class GuestChannel(IWardenHost host, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan LinkPoll = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan LinkPatience = TimeSpan.FromSeconds(30);

    private static readonly Dictionary<string, string> RootEnvironment = new(StringComparer.Ordinal)
    {
        ["HOME"] = "/root",
        ["USER"] = "root",
        ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ["LANG"] = "C.UTF-8",
    };

    private readonly SemaphoreSlim _connecting = new(1, 1);
    private WardenClient? _client;
    private bool _isClosed;

    public bool IsRunning() => host.IsRunning();

    public async Task<IGuestProcess> ExecAsync(ExecSpec spec, CancellationToken cancellationToken)
    {
        SpecCheck.Check(spec);
        var environment = new SortedDictionary<string, string>((spec.AsRoot ? RootEnvironment : host.AgentEnvironment).ToDictionary(), StringComparer.Ordinal);
        foreach (var (name, value) in spec.Environment)
        {
            environment[name] = value;
        }

        var request = new ExecRequest
        {
            Id = spec.Id ?? Guid.CreateVersion7(time.GetUtcNow()).ToString("N"),
            Command = spec.Command,
            Environment = environment,
            Folder = spec.WorkingFolder,
            User = spec.AsRoot ? "root" : "",
            OpenInput = spec.OpenStandardInput,
            Terminal = spec.Terminal is { } size ? new Wire.TerminalSize((ushort)size.Columns, (ushort)size.Rows) : null,
            Keep = spec.Id is not null,
            Timeout = spec.Timeout is { } timeout ? Math.Max(1, (long)Math.Min(timeout.TotalMilliseconds, long.MaxValue / 2)) : 0,
            OutputLimit = spec.OutputLimit ?? 0,
        };
        var process = new ChannelProcess(this, spec.Id, spec.Terminal is not null, 0, 0, time);
        if (!spec.OpenStandardInput)
        {
            process.CloseInput();
        }

        return await StartAsync(process, request, $"run {spec.Command[0]} in the guest", cancellationToken);
    }

    public async Task<IGuestProcess?> AttachAsync(string id, long output, long error, CancellationToken cancellationToken)
    {
        SpecCheck.CheckProgramId(id);
        ArgumentOutOfRangeException.ThrowIfNegative(output);
        ArgumentOutOfRangeException.ThrowIfNegative(error);
        // Whether it has a terminal is known to the guest, which ignores a size that means nothing.
        var process = new ChannelProcess(this, id, hasTerminal: true, output, error, time);
        try
        {
            return await StartAsync(process, new AttachRequest(id, (ulong)output, (ulong)error), $"attach to {id}", cancellationToken);
        }
        catch (GjollException absent) when (absent.InnerException is ChannelException { Code: FailureCode.NotFound })
        {
            return null;
        }
    }

    public async Task<IReadOnlyList<GuestProgram>> ListProgramsAsync(CancellationToken cancellationToken)
    {
        var answer = await AskAsync(new ProgramsRequest(), "list the programs", cancellationToken);
        return [.. (answer.Programs ?? []).Select(program => new GuestProgram(
            program.Id, program.ProcessId, program.Exit is { } code ? ChannelProcess.Status(code, program.Reason ?? ExitReason.Exited) : null))];
    }

    public async Task<GuestConnection> ConnectAsync(int guestPort, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(guestPort, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(guestPort, ushort.MaxValue);
        var connection = new ChannelConnection();
        try
        {
            await OpenAsync(new DialRequest(guestPort), connection, $"connect to port {guestPort}", cancellationToken);
            return connection;
        }
        catch (ChannelException refused)
        {
            throw refused.Explain($"connect to port {guestPort} of the guest");
        }
    }

    public async Task<SandboxHealth> HealthAsync(CancellationToken cancellationToken)
    {
        var answer = await AskAsync(new HealthRequest(), "ask how the guest is", cancellationToken);
        return answer.Health is { } health
            ? new SandboxHealth(health.AgentVersion, health.BootId, TimeSpan.FromSeconds(Math.Clamp(health.UptimeSeconds, 0, 1e9)), health.MemoryAvailable, health.DiskFree, health.Programs)
            : throw new GjollException("The guest answered without saying how it is.");
    }

    /// <summary>Right after every start: what the guest listens on, who it is, what time it is.</summary>
    public Task RenewAsync(RenewRequest request, CancellationToken cancellationToken) => AskAsync(request, "renew the guest's identity", cancellationToken);

    /// <summary>The guest ends its programs and then itself. Returns when it has heard so.</summary>
    public Task ShutdownAsync(TimeSpan grace, CancellationToken cancellationToken) =>
        AskAsync(new ShutdownRequest((int)Math.Min(grace.TotalMilliseconds, int.MaxValue)), "shut the guest down", cancellationToken);

    public async Task<WardenState> StateAsync(CancellationToken cancellationToken)
    {
        var client = await ClientAsync(cancellationToken);
        return (await client.AskAsync(new WardenRequest(), cancellationToken)).Warden ?? throw new GjollException("The warden does not say how it is.");
    }

    /// <summary>Returns when the guest has proved the key. Its own patience is the caller's token; a sandbox that ends is a <see cref="GjollException"/>.</summary>
    public async Task WaitForLinkAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var state = await StateAsync(cancellationToken);
            if (state.IsLinked)
            {
                return;
            }

            if (!host.IsRunning())
            {
                throw new GjollException($"The sandbox ended before its guest could be reached: {state.LinkProblem ?? "it never answered"}.");
            }

            await Task.Delay(LinkPoll, time, cancellationToken);
        }
    }

    /// <summary>Opens a channel, waiting a bounded time for a guest that is being linked again.</summary>
    /// <exception cref="ChannelException">The guest said no.</exception>
    public async Task<(ClientChannel Channel, WireResponse Answer)> OpenAsync(WireRequest request, IChannelOwner? owner, string attempt, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            Exception trouble;
            WardenClient? client = null;
            try
            {
                client = await ClientAsync(cancellationToken);
                return await client.OpenAsync(request, owner, cancellationToken);
            }
            catch (ChannelException down) when (down.Code == FailureCode.Unavailable)
            {
                // Of a dial it may be the guest's own word: nobody listens.
                if (request is DialRequest && (await client!.AskAsync(new WardenRequest(), cancellationToken)).Warden is { IsLinked: true })
                {
                    throw;
                }

                trouble = down;
            }
            catch (GjollException lost) when (lost.IsTransient && client is not { IsConnected: true } && (client is null || request is not (ExecRequest or DialRequest)))
            {
                // The warden died. What it may have passed on is not asked for twice, unless asking twice changes nothing.
                trouble = lost;
            }

            if (!host.IsRunning())
            {
                throw new GjollException($"Could not {attempt}: the sandbox has stopped.", isTransient: false, trouble);
            }

            if (time.GetElapsedTime(started) > LinkPatience)
            {
                throw new GjollException($"Could not {attempt}: {trouble.Message}", isTransient: true, trouble);
            }

            await Task.Delay(LinkPoll, time, cancellationToken);
        }
    }

    /// <summary>For good: with its sandbox, or with the host process. Programs that are not kept end.</summary>
    public async ValueTask DisposeAsync()
    {
        await _connecting.WaitAsync(CancellationToken.None);
        try
        {
            _isClosed = true;
            if (_client is not null)
            {
                await _client.DisposeAsync();
            }
        }
        finally
        {
            _connecting.Release();
        }
    }

    private async Task<IGuestProcess> StartAsync(ChannelProcess process, WireRequest request, string attempt, CancellationToken cancellationToken)
    {
        try
        {
            await OpenAsync(request, process, attempt, cancellationToken);
            return process;
        }
        catch (ChannelException refused)
        {
            throw refused.Explain(attempt);
        }
    }

    private async Task<WireResponse> AskAsync(WireRequest request, string attempt, CancellationToken cancellationToken)
    {
        try
        {
            return (await OpenAsync(request, null, attempt, cancellationToken)).Answer;
        }
        catch (ChannelException refused)
        {
            throw refused.Explain(attempt);
        }
    }

    private async Task<WardenClient> ClientAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _client) is { IsConnected: true } present)
        {
            return present;
        }

        await _connecting.WaitAsync(cancellationToken);
        try
        {
            if (_isClosed)
            {
                throw new GjollException("The sandbox was stopped, or its provider was disposed.");
            }

            if (_client is { IsConnected: true } another)
            {
                return another;
            }

            if (_client is not null)
            {
                await _client.DisposeAsync();
                _client = null;
            }

            return _client = await WardenClient.ConnectAsync(await host.EnsureWardenAsync(cancellationToken), time, cancellationToken);
        }
        finally
        {
            _connecting.Release();
        }
    }
}
