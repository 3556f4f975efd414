using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Gjoll.Hosts;

namespace Gjoll.Records;

/// <summary>Gives each sandbox of a root host a kernel user of its own, from numbers that no distribution hands out.</summary>
/// <param name="root">The state folder: the same folder always hands out the same block.</param>
/// <param name="firstUserId">The first number of the block; null derives it from the folder.</param>
/// <param name="recorded">The numbers that the records hold.</param>
internal sealed class KernelUsers(string root, uint? firstUserId, Func<IEnumerable<uint>> recorded)
{
    private const uint First = 1_900_000_000;
    private const uint Blocks = 50_000;
    private const uint BlockSize = 4096;

    /// <summary>Call while holding the lock on all.</summary>
    public uint Choose()
    {
        var first = firstUserId ?? First + (BinaryPrimitives.ReadUInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(root))) % Blocks * BlockSize);
        var taken = recorded().ToHashSet();
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
