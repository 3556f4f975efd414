using System.Buffers;
using System.Globalization;
using System.Text;

namespace Gjoll.Images;

/// <summary>
/// Writes the 'newc' form of cpio that the kernel unpacks. Numbers and times are the caller's, never the machine's, so the same content is the same bytes.
/// <code>070701 | ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check, each 8 hex digits | name NUL | pad to 4 | data | pad to 4</code>
/// </summary>
internal sealed class CpioArchive(DateTimeOffset timestamp)
{
    private const int Folder = 0x4000;
    private const int RegularFile = 0x8000;
    private const int BlockSize = 512;

    private readonly ArrayBufferWriter<byte> _bytes = new();
    private int _number;

    /// <summary>Names have no leading slash; a folder stands before what is in it.</summary>
    public void AddFolder(string name) => Add(name, Folder | 0x1ed, []);

    public void AddFile(string name, ReadOnlySpan<byte> content, bool executable = false) => Add(name, RegularFile | (executable ? 0x1ed : 0x1a4), content);

    public byte[] Finish()
    {
        Write("TRAILER!!!", 0, 0, [], number: 0);
        Pad(BlockSize);
        return _bytes.WrittenSpan.ToArray();
    }

    private void Add(string name, int mode, ReadOnlySpan<byte> content) => Write(name, mode, timestamp.ToUnixTimeSeconds(), content, ++_number);

    private void Write(string name, int mode, long modified, ReadOnlySpan<byte> content, int number)
    {
        var nameBytes = Encoding.UTF8.GetBytes(name);
        int[] fields = [number, mode, 0, 0, (mode & Folder) != 0 ? 2 : 1, (int)modified, content.Length, 0, 0, 0, 0, nameBytes.Length + 1, 0];
        _bytes.Write("070701"u8);
        foreach (var field in fields)
        {
            _bytes.Write(Encoding.ASCII.GetBytes(field.ToString("x8", CultureInfo.InvariantCulture)));
        }

        _bytes.Write(nameBytes);
        _bytes.Write<byte>([0]);
        Pad(4);
        _bytes.Write(content);
        Pad(4);
    }

    private void Pad(int unit)
    {
        while (_bytes.WrittenCount % unit != 0)
        {
            _bytes.Write<byte>([0]);
        }
    }
}
