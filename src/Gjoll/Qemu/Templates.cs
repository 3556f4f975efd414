using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gjoll.Hosts;
using Gjoll.Records;

namespace Gjoll.Qemu;

/// <summary>
/// The machines that have booted already, each of one image and one shape. A template is a folder that appears whole or not at all and never changes.
/// </summary>
internal sealed class Templates(MachineFolders folders, RecordStore<MachineRecord> registry)
{
    public const string StateFile = "state";
    public const string RecordFile = "template.json";

    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public static string IdOf(string image, string shape, string host) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{image}\n{shape}\n{host}")))[..16];

    public IReadOnlyList<string> Ids() =>
        Directory.Exists(folders.Templates)
            ? [.. Directory.EnumerateDirectories(folders.Templates).Select(folder => Path.GetFileName(folder)!).Where(id => !id.EndsWith(MachineFolders.NewSuffix, StringComparison.Ordinal))]
            : [];

    /// <summary>Null when there is none.</summary>
    public TemplateRecord? Read(string id)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(folders.Template(id), RecordFile)), TemplateJson.Default.TemplateRecord);
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException broken)
        {
            throw new GjollException($"The record of template {id} cannot be read: {broken.Message}", isTransient: false, broken);
        }
    }

    /// <summary>Takes over what a stopped and saved machine left: its disk, its memory, its state. The key goes along: a clone starts with it.</summary>
    public async Task KeepAsync(string id, TemplateRecord record, string machine, string state, string key, CancellationToken cancellationToken)
    {
        var draft = folders.Template(id) + MachineFolders.NewSuffix;
        if (Directory.Exists(draft))
        {
            Directory.Delete(draft, recursive: true);
        }

        Directory.CreateDirectory(draft, Modes.Passage);
        foreach (var (source, name) in (ReadOnlySpan<(string, string)>)
            [(Path.Combine(machine, MachineFolder.Disk), MachineFolder.Disk), (Path.Combine(machine, MachineFolder.Memory), MachineFolder.Memory), (state, StateFile)])
        {
            var target = Path.Combine(draft, name);
            File.Move(source, target);
            if (Native.IsRoot)
            {
                Native.ChangeOwner(target, 0, 0);
            }
        }

        File.Copy(key, Path.Combine(draft, MachineFolder.KeyFile));
        File.SetUnixFileMode(Path.Combine(draft, MachineFolder.KeyFile), UnixFileMode.UserRead);
        File.SetUnixFileMode(Path.Combine(draft, StateFile), UnixFileMode.UserRead);
        File.SetUnixFileMode(Path.Combine(draft, MachineFolder.Memory), UnixFileMode.UserRead);
        // The disk alone is opened by the clones' own users.
        File.SetUnixFileMode(Path.Combine(draft, MachineFolder.Disk), Readable);
        var whole = record with
        {
            StateDigest = await DigestAsync(Path.Combine(draft, StateFile), cancellationToken),
            MemoryDigest = await DigestAsync(Path.Combine(draft, MachineFolder.Memory), cancellationToken),
            DiskDigest = await DigestAsync(Path.Combine(draft, MachineFolder.Disk), cancellationToken),
        };
        await File.WriteAllBytesAsync(Path.Combine(draft, RecordFile), JsonSerializer.SerializeToUtf8Bytes(whole, TemplateJson.Default.TemplateRecord), cancellationToken);
        Directory.Move(draft, folders.Template(id));
    }

    /// <summary>The template's memory, sealed; checked against its digest when it is brought into memory. Call under the template's lock.</summary>
    public async Task<string> MemoryAsync(string id, TemplateRecord record, CancellationToken cancellationToken)
    {
        var state = Path.Combine(folders.Template(id), StateFile);
        if (await DigestAsync(state, cancellationToken) != record.StateDigest)
        {
            throw new GjollException($"The saved state of template {id} is not the one that was saved: remove the template.");
        }

        return await TemplateMemory.EnsureAsync(
            folders.TemplateMarker(id), Path.Combine(folders.Template(id), MachineFolder.Memory),
            async memory =>
            {
                if (await DigestAsync(memory, cancellationToken) != record.MemoryDigest)
                {
                    throw new GjollException($"The memory of template {id} is not the one that was saved: remove the template.");
                }
            },
            cancellationToken);
    }

    public Task<NameLock> LockAsync(string id, CancellationToken cancellationToken) => registry.LockFileAsync("template." + id, cancellationToken);

    /// <summary>Call under its lock, and only when no machine's disk lies over it.</summary>
    public async Task RemoveAsync(string id, TimeProvider time, CancellationToken cancellationToken)
    {
        await new Ender(time).EndProcessesAsync(folders.TemplateMarker(id), null, cancellationToken);
        foreach (var folder in (string[])[folders.Template(id), folders.Template(id) + MachineFolders.NewSuffix])
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static async Task<string> DigestAsync(string file, CancellationToken cancellationToken)
    {
        await using var stream = new FileStream(file, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, BufferSize = 1 << 20, Options = FileOptions.SequentialScan });
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken));
    }
}
