using System.Collections.Concurrent;
using System.Globalization;
using Gjoll.Channel;
using Gjoll.Hosts;
using Gjoll.Records;

namespace Gjoll.Qemu;

/// <summary>
/// Clones that run already and belong to nobody yet. Each is a sandbox with a record like any other, under a name of the pool, until it is taken: then its
/// folder gets the new name in one step, and its guest a new identity.
/// </summary>
internal sealed class WarmPool(QemuOptions options, QemuProvider provider, MachineHost host, TimeProvider time)
{
    /// <summary>Its value is the template.</summary>
    public const string Label = "gjoll.pool";

    // What one more is expected to take before it can be measured.
    private const long Expected = 64L << 20;

    private readonly ConcurrentDictionary<string, Wish> _wishes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<SandboxName, bool> _own = new();
    private int _count;

    public void Keep(string image, SandboxLimits limits, int count) =>
        _wishes[FormattableString.Invariant($"{image} {limits.MemoryBytes} {limits.Cpus}")] = new Wish(image, limits, count, null, time.GetTimestamp());

    /// <summary>A machine of that name is kept ready by this pool.</summary>
    public bool Owns(SandboxName name) => _own.ContainsKey(name);

    /// <summary>One step towards what is wished for: a machine more, or those away that nobody wants.</summary>
    public async Task FillAsync(CancellationToken cancellationToken)
    {
        foreach (var (key, wish) in _wishes)
        {
            var ready = wish.Template is { } known ? Ready(known) : [];
            if (wish.Count == 0 || time.GetElapsedTime(wish.Wanted) > options.PoolIdle)
            {
                foreach (var name in ready)
                {
                    await provider.DestroyAsync(name, cancellationToken);
                    _own.TryRemove(name, out _);
                }

                continue;
            }

            if (ready.Count < wish.Count && All().Sum(Measure) + Expected <= options.PoolMemoryBytes)
            {
                await AddAsync(key, wish, cancellationToken);
            }
        }
    }

    /// <summary>Gives a machine of that template another name and owner. False when there is none. The lock of the new name is held.</summary>
    public async Task<bool> TakeAsync(SandboxName name, string template, SpecRecord spec, CancellationToken cancellationToken)
    {
        foreach (var (key, wish) in _wishes.Where(pair => pair.Value.Template == template))
        {
            _wishes.TryUpdate(key, wish with { Wanted = time.GetTimestamp() }, wish);
        }

        foreach (var ready in Ready(template))
        {
            using var held = await host.Registry.LockAsync(ready, cancellationToken);
            if (host.Registry.Read(ready) is { } record && IsReady(record, template)
                && record.Spec.Limits.MemoryBytes == spec.Limits.MemoryBytes && record.Spec.Limits.Cpus == spec.Limits.Cpus)
            {
                await host.DisconnectAsync(ready);
                if (record.Run!.Warden is { } warden)
                {
                    await WardenProcess.StopAsync(warden, time, cancellationToken);
                }

                // Written under the old name: whoever dies before the next line leaves a machine of the pool's name that nobody keeps.
                host.Registry.Write(ready, record with
                {
                    Name = name.Value,
                    Spec = spec,
                    Created = time.GetUtcNow(),
                    Next = Beginning.Ready,
                    WasStarted = true,
                    Marker = host.Folders.Marker(ready),
                    Run = record.Run with { Warden = null, IsUp = false, Deadline = time.GetUtcNow() + spec.Limits.Lifetime },
                });
                Directory.Move(host.Folders.Of(ready), host.Folders.Of(name));
                held.RemoveFile();
                _own.TryRemove(ready, out _);
                return true;
            }
        }

        return false;
    }

    private async Task AddAsync(string key, Wish wish, CancellationToken cancellationToken)
    {
        var template = await provider.PrepareAsync(wish.Image, wish.Limits, cancellationToken);
        _wishes.TryUpdate(key, wish with { Template = template }, wish);
        var name = new SandboxName(string.Create(CultureInfo.InvariantCulture, $"pool-{Environment.ProcessId}-{Interlocked.Increment(ref _count)}"));
        _own[name] = true;
        var machine = await provider.CreateMachineAsync(
            new SandboxSpec { Name = name, Image = wish.Image, Limits = wish.Limits with { Lifetime = TimeSpan.FromDays(7) }, Labels = new Dictionary<string, string> { [Label] = template } },
            template, sharedMemory: false, cancellationToken, isForPool: true);
        await machine.StartAsync(cancellationToken);
    }

    private List<SandboxName> All() => [.. host.Registry.Names().Where(name => host.Registry.Read(name)?.Spec.Labels.ContainsKey(Label) == true)];

    private List<SandboxName> Ready(string template) => [.. host.Registry.Names().Where(name => host.Registry.Read(name) is { } record && IsReady(record, template))];

    private static bool IsReady(MachineRecord record, string template) =>
        record is { Ready: true, Run.IsUp: true } && record.Spec.Labels.GetValueOrDefault(Label) == template && MachineHost.IsRunning(record);

    // Pss:  26520 kB
    private long Measure(SandboxName name)
    {
        try
        {
            var line = File.ReadLines($"/proc/{host.Registry.Read(name)?.Run?.Qemu.Id}/smaps_rollup").FirstOrDefault(line => line.StartsWith("Pss:", StringComparison.Ordinal));
            return line is null ? Expected : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return Expected;
        }
    }

    private sealed record Wish(string Image, SandboxLimits Limits, int Count, string? Template, long Wanted);
}
