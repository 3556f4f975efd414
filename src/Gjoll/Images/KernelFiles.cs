using System.Formats.Tar;
using System.Text;

namespace Gjoll.Images;

/// <summary>The kernel and its modules, as Debian's package brought them, read from the tar of a tree.</summary>
internal sealed class KernelFiles
{
    private const string ModuleRoot = "usr/lib/modules/";

    private readonly Dictionary<string, byte[]> _modules = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string[]> _dependencies = new(StringComparer.Ordinal);
    private readonly HashSet<string> _builtIn = new(StringComparer.Ordinal);

    public string Release { get; private set; } = "";

    /// <summary>As it is in /boot.</summary>
    public byte[] Image { get; private set; } = [];

    public static async Task<KernelFiles> ReadAsync(string tree, CancellationToken cancellationToken)
    {
        var files = new KernelFiles();
        await using var stream = File.OpenRead(tree);
        await using var reader = new TarReader(stream);
        while (await reader.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
        {
            var name = entry.Name.TrimStart('.').TrimStart('/');
            if (entry.DataStream is null)
            {
                continue;
            }

            if (name.StartsWith("boot/vmlinuz-", StringComparison.Ordinal) || name.StartsWith("boot/vmlinux-", StringComparison.Ordinal))
            {
                if (files.Image.Length > 0)
                {
                    throw new GjollException("The packages bring more than one kernel.");
                }

                files.Image = await ContentAsync(entry, cancellationToken);
                files.Release = name["boot/vmlinuz-".Length..];
            }
            else if (name.StartsWith(ModuleRoot, StringComparison.Ordinal) || name.StartsWith(ModuleRoot[4..], StringComparison.Ordinal))
            {
                await files.TakeAsync(name[(name.IndexOf("modules/", StringComparison.Ordinal) + "modules/".Length)..], entry, cancellationToken);
            }
        }

        return files.Image.Length > 0 ? files : throw new GjollException("The packages bring no kernel.");
    }

    /// <summary>File names and contents in the order in which they load. What is built into the kernel needs no loading.</summary>
    public IReadOnlyList<(string Name, byte[] Content)> Resolve(IEnumerable<string> wanted)
    {
        var order = new List<(string, byte[])>();
        var taken = new HashSet<string>(StringComparer.Ordinal);
        foreach (var module in wanted.Select(Plain).Where(module => !_builtIn.Contains(module)))
        {
            Add(module);
        }

        return order;

        void Add(string module)
        {
            if (!taken.Add(module))
            {
                return;
            }

            if (!_modules.TryGetValue(module, out var content))
            {
                throw new GjollException($"Kernel {Release} has no module '{module}'; {Suggestion.For(module, _modules.Keys)}.");
            }

            // modules.dep names the nearest first, so what everything rests on comes last.
            foreach (var dependency in _dependencies.GetValueOrDefault(module, []).Reverse())
            {
                Add(dependency);
            }

            order.Add((module + ".ko", content));
        }
    }

    private async Task TakeAsync(string path, TarEntry entry, CancellationToken cancellationToken)
    {
        // 6.1.0-56-cloud-amd64/kernel/drivers/block/virtio_blk.ko
        var below = path[(path.IndexOf('/', StringComparison.Ordinal) + 1)..];
        if (below.EndsWith(".ko", StringComparison.Ordinal))
        {
            _modules[ModuleOf(below)] = await ContentAsync(entry, cancellationToken);
        }
        else if (below == "modules.builtin")
        {
            _builtIn.UnionWith(Lines(await ContentAsync(entry, cancellationToken)).Select(ModuleOf));
        }
        else if (below == "modules.dep")
        {
            foreach (var line in Lines(await ContentAsync(entry, cancellationToken)))
            {
                var colon = line.IndexOf(':', StringComparison.Ordinal);
                _dependencies[ModuleOf(line[..colon])] = [.. line[(colon + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(ModuleOf)];
            }
        }
    }

    private static string[] Lines(byte[] content) => Encoding.UTF8.GetString(content).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static string ModuleOf(string path) => Plain(Path.GetFileNameWithoutExtension(path));

    // The kernel takes '-' and '_' in a module's name for the same.
    private static string Plain(string name) => name.Replace('-', '_');

    private static async Task<byte[]> ContentAsync(TarEntry entry, CancellationToken cancellationToken)
    {
        var content = new byte[entry.Length];
        await entry.DataStream!.ReadExactlyAsync(content, cancellationToken);
        return content;
    }
}
