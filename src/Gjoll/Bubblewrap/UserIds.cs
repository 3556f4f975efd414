using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Gjoll.Hosts;

namespace Gjoll.Bubblewrap;

/// <summary>Gives each sandbox of a root host a kernel user of its own, from numbers that no distribution hands out.</summary>
internal sealed class UserIds(BubblewrapOptions options, SandboxFolders folders, Registry registry)
{
    private const uint First = 1_900_000_000;
    private const uint Blocks = 50_000;
    private const uint BlockSize = 4096;

    /// <summary>Call while holding the lock on all.</summary>
    public uint Choose()
    {
        var first = options.FirstUserId ?? First + (BinaryPrimitives.ReadUInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(folders.Root))) % Blocks * BlockSize);
        var taken = registry.Names().Select(name => registry.Read(name)?.UserId).OfType<uint>().ToHashSet();
        taken.UnionWith(ProcessTable.All().Select(ProcessTable.UserOf).OfType<uint>());
        for (var id = first; id < first + BlockSize; id++)
        {
            if (!taken.Contains(id))
            {
                return id;
            }
        }

        throw new GjollException($"All {BlockSize} users for sandboxes are taken: destroy some sandboxes.", isTransient: true);
    }
}
