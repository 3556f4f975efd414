using System.Text.Json;
using System.Text.Json.Serialization;
using Gjoll.Hosts;

namespace Gjoll.Qemu;

/// <summary>
/// Whether machines of an image really start here. A device that exists and opens proves nothing: on some hosts a guest under KVM hangs or QEMU aborts. The
/// answer is kept until the host, QEMU or the image is another.
/// </summary>
internal sealed class BootProbe(MachineFolders folders, QemuVersion version, QemuProvider provider)
{
    private const string KvmDevice = "/dev/kvm";

    /// <summary>Boots one when that has not been done yet. Never fails because it does not work.</summary>
    public async Task<BootResult> TryAsync(string reference, Accelerator accelerator, CancellationToken cancellationToken)
    {
        if (accelerator == Accelerator.Kvm && !File.Exists(KvmDevice))
        {
            return new BootResult(false, $"there is no {KvmDevice}: the host's processor has no virtualisation, or the module kvm is not loaded");
        }

        var circumstances = $"{File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim()} {await version.ReadAsync(cancellationToken)} {reference}";
        if (Read(accelerator) is { } known && known.Circumstances == circumstances)
        {
            return known.Result;
        }

        var result = await BootAsync(reference, accelerator, cancellationToken);
        Write(accelerator, new BootFinding(circumstances, result));
        return result;
    }

    private async Task<BootResult> BootAsync(string reference, Accelerator accelerator, CancellationToken cancellationToken)
    {
        var name = new SandboxName(FormattableString.Invariant($"probe-{accelerator}-{Environment.ProcessId}").ToLowerInvariant());
        try
        {
            var sandbox = await provider.CreateMachineAsync(
                new SandboxSpec
                {
                    Name = name, Image = reference, Start = WarmStart.Never, Labels = new Dictionary<string, string> { [TemplateMaker.Label] = "probe" },
                    Limits = new SandboxLimits { MemoryBytes = 1L << 30, Cpus = 1, DiskBytes = 16L << 20, Lifetime = TimeSpan.FromMinutes(10) },
                },
                template: null, sharedMemory: false, cancellationToken);
            await provider.StartAsync(sandbox, accelerator, cancellationToken);
            return new BootResult(true, null);
        }
        catch (GjollException failure)
        {
            return new BootResult(false, Printable.Of(failure.Message).TrimEnd('.'));
        }
        finally
        {
            using var bounded = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            await provider.DestroyAsync(name, bounded.Token);
        }
    }

    private BootFinding? Read(Accelerator accelerator)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(FileOf(accelerator)), BootJson.Default.BootFinding);
        }
        catch (Exception unusable) when (unusable is IOException or JsonException)
        {
            return null;
        }
    }

    private void Write(Accelerator accelerator, BootFinding finding)
    {
        var draft = FormattableString.Invariant($"{FileOf(accelerator)}.{Environment.ProcessId}{MachineFolders.NewSuffix}");
        File.WriteAllBytes(draft, JsonSerializer.SerializeToUtf8Bytes(finding, BootJson.Default.BootFinding));
        File.Move(draft, FileOf(accelerator), overwrite: true);
    }

    private string FileOf(Accelerator accelerator) => Path.Combine(folders.Root, $"boots-{accelerator}.json".ToLowerInvariant());
}

internal sealed record BootResult(bool Works, string? Reason);

internal sealed record BootFinding(string Circumstances, BootResult Result);

[JsonSerializable(typeof(BootFinding))]
internal sealed partial class BootJson : JsonSerializerContext;
