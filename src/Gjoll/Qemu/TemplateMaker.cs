using System.Collections.Concurrent;
using Gjoll.Hosts;
using Microsoft.Extensions.Logging;

namespace Gjoll.Qemu;

/// <summary>
/// Boots a machine of an image and a shape once, lets it load what an agent needs, and keeps it as a template. It is a sandbox like any other until it is
/// saved, so that whatever dies meanwhile leaves something that a sweep knows.
/// </summary>
internal sealed partial class TemplateMaker(QemuProvider provider, MachineHost host, Templates templates, TimeProvider time, ILogger logger)
{
    public const string Label = "gjoll.template";

    private readonly ConcurrentDictionary<SandboxName, bool> _making = new();

    private static readonly TimeSpan WarmUpPatience = TimeSpan.FromMinutes(2);

    /// <summary>A sandbox of that name is on its way to a template, by this process.</summary>
    public bool IsMaking(SandboxName name) => _making.ContainsKey(name);

    /// <summary>The template's id. Two callers make one template.</summary>
    public async Task<string> EnsureAsync(BootImage image, string reference, SandboxLimits limits, Accelerator accelerator, string hostWords, CancellationToken cancellationToken)
    {
        var shape = ShapeOf(image, limits, accelerator);
        var id = Templates.IdOf(image.Digest, shape, hostWords);
        using var held = await templates.LockAsync(id, cancellationToken);
        if (templates.Read(id) is not null)
        {
            return id;
        }

        var started = time.GetTimestamp();
        var name = new SandboxName("template-" + id);
        await provider.DestroyAsync(name, cancellationToken);
        _making[name] = true;
        var diskBytes = new FileInfo(Path.Combine(image.Folder, image.Disk)).Length;
        var sandbox = await provider.CreateMachineAsync(
            new SandboxSpec
            {
                Name = name, Image = reference, Limits = limits with { DiskBytes = diskBytes, Lifetime = TimeSpan.FromHours(1) }, Labels = new Dictionary<string, string> { [Label] = id }, Start = WarmStart.Never,
            },
            template: null,
            sharedMemory: true,
            cancellationToken);
        try
        {
            await sandbox.StartAsync(cancellationToken);
            foreach (var command in image.WarmUp)
            {
                await WarmUpAsync(sandbox, command, cancellationToken);
            }

            await sandbox.RunAsync(new ExecSpec { Command = ["sync"], AsRoot = true, WorkingFolder = "/" }, cancellationToken);
            await SaveAsync(id, name, new TemplateRecord
            {
                Image = image.Digest, Shape = shape, Host = hostWords, Created = time.GetUtcNow(), DiskBytes = diskBytes, StateDigest = "", MemoryDigest = "", DiskDigest = "",
            }, cancellationToken);
        }
        finally
        {
            using var bounded = new CancellationTokenSource(WarmUpPatience, time);
            await provider.DestroyAsync(name, bounded.Token);
            _making.TryRemove(name, out _);
        }

        LogMade(logger, id, reference, time.GetElapsedTime(started));
        return id;
    }

    /// <summary>What a machine of these limits is, whatever its name and folders.</summary>
    public static string ShapeOf(BootImage image, SandboxLimits limits, Accelerator accelerator) => MachineHost.PlanOf("template", limits, 0, accelerator, image).Shape;

    private async Task SaveAsync(string id, SandboxName name, TemplateRecord template, CancellationToken cancellationToken)
    {
        using var held = await host.Registry.LockAsync(name, cancellationToken);
        var record = host.Demand(name);
        await host.DisconnectAsync(name);
        if (record.Run?.Warden is { } warden)
        {
            await Gjoll.Channel.WardenProcess.StopAsync(warden, time, cancellationToken);
        }

        var state = Path.Combine(host.Folders.Of(name), MachineHost.StateFile);
        await using (var monitor = await host.MonitorAsync(name, cancellationToken))
        {
            await monitor.RunAsync("stop", cancellationToken);
            await host.SaveStateAsync(monitor, name, record, state, cancellationToken);
        }

        await host.EndAllAsync(name, record, cancellationToken);
        Directory.CreateDirectory(host.Folders.Templates, Modes.Passage);
        await templates.KeepAsync(id, template, host.Folders.Machine(name), state, host.KeyFile(name), cancellationToken);
    }

    private static async Task WarmUpAsync(QemuSandbox sandbox, IReadOnlyList<string> command, CancellationToken cancellationToken)
    {
        var result = await sandbox.RunAsync(new ExecSpec { Command = command, WorkingFolder = "/", Timeout = WarmUpPatience }, cancellationToken);
        if (!result.Exit.Succeeded)
        {
            throw new GjollException($"'{command[0]}' ended with code {result.Exit.Code} when the template was warmed up: {Printable.Of(result.ErrorText)}");
        }
    }

    [LoggerMessage(LogLevel.Information, "Template {Id} of {Image} made in {Duration}")]
    private static partial void LogMade(ILogger logger, string id, string image, TimeSpan duration);
}
