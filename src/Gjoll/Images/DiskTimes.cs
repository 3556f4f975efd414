using System.Buffers.Binary;

namespace Gjoll.Images;

/// <summary>
/// mke2fs gives files the change and access times that they have on the building machine, and nothing sets the former. This writes them in the image, in
/// the inode tables, which no checksum covers because the disk is made without. Blocks without an inode in use are passed over and stay holes.
/// <code>superblock at 1024: inodes 0x0 | blocks 0x4 | block size 0x18 | inodes per group 0x28 | inode size 0x58 | incompatible 0x60 | read-only 0x64 | descriptor size 0xfe
/// inode: mode 0x0 | atime 0x8 | ctime 0xc | mtime 0x10 | finer parts 0x84, 0x88, 0x8c | birth 0x90, 0x94</code>
/// </summary>
internal static class DiskTimes
{
    private const int SuperblockOffset = 1024;
    private const uint Wide = 0x80;
    private const uint MetadataChecksum = 0x400;
    private const int InodeTableLow = 0x8;
    private const int InodeTableHigh = 0x28;

    public static void Set(string disk, DateTimeOffset timestamp)
    {
        using var file = new FileStream(disk, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        var super = Read(file, SuperblockOffset, 1024);
        if (BinaryPrimitives.ReadUInt16LittleEndian(super.AsSpan(0x38)) != 0xef53 || (Word(super, 0x64) & MetadataChecksum) != 0 || (Word(super, 0x60) & Wide) == 0)
        {
            throw new InvalidDataException($"{disk} is no disk as it is made here.");
        }

        var blockSize = 1024 << (int)Word(super, 0x18);
        var perGroup = Word(super, 0x28);
        var inodeSize = BinaryPrimitives.ReadUInt16LittleEndian(super.AsSpan(0x58));
        var descriptorSize = BinaryPrimitives.ReadUInt16LittleEndian(super.AsSpan(0xfe));
        var groups = (int)(Word(super, 0) / perGroup);
        var descriptors = Read(file, blockSize, groups * descriptorSize);
        var seconds = (uint)timestamp.ToUnixTimeSeconds();
        for (var group = 0; group < groups; group++)
        {
            var descriptor = descriptors.AsSpan(group * descriptorSize, descriptorSize);
            var table = Word(descriptor, InodeTableLow) | ((long)Word(descriptor, InodeTableHigh) << 32);
            SetTable(file, table * blockSize, (int)(perGroup * inodeSize), blockSize, inodeSize, seconds);
        }
    }

    private static void SetTable(FileStream file, long offset, int length, int blockSize, int inodeSize, uint seconds)
    {
        var table = Read(file, offset, length);
        for (var at = 0; at < length; at += blockSize)
        {
            var block = table.AsSpan(at, Math.Min(blockSize, length - at));
            if (block.IndexOfAnyExcept((byte)0) < 0)
            {
                continue;
            }

            for (var inode = 0; inode + inodeSize <= block.Length; inode += inodeSize)
            {
                SetInode(block.Slice(inode, inodeSize), seconds);
            }

            file.Position = offset + at;
            file.Write(block);
        }
    }

    private static void SetInode(Span<byte> inode, uint seconds)
    {
        if (BinaryPrimitives.ReadUInt16LittleEndian(inode) == 0)
        {
            return;
        }

        foreach (var time in (ReadOnlySpan<int>)[0x8, 0xc, 0x90])
        {
            BinaryPrimitives.WriteUInt32LittleEndian(inode[time..], seconds);
        }

        if (Word(inode, 0x10) > seconds)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(inode[0x10..], seconds);
        }

        foreach (var finer in (ReadOnlySpan<int>)[0x84, 0x88, 0x8c, 0x94])
        {
            BinaryPrimitives.WriteUInt32LittleEndian(inode[finer..], 0);
        }
    }

    private static uint Word(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[offset..]);

    private static byte[] Read(FileStream file, long offset, int length)
    {
        var bytes = new byte[length];
        file.Position = offset;
        file.ReadExactly(bytes);
        return bytes;
    }
}
