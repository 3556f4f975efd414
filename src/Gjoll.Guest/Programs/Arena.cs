using System.Runtime.InteropServices;
using System.Text;

namespace Gjoll.Guest.Programs;

/// <summary>Memory outside of the runtime for the texts of one start; all of it goes at once.</summary>
internal sealed unsafe class Arena(int size) : IDisposable
{
    private readonly byte* _memory = (byte*)NativeMemory.AllocZeroed((nuint)size);
    private int _used;

    public static int SizeOf(string text) => Encoding.UTF8.GetMaxByteCount(text.Length) + 1;

    public void* Take(int count)
    {
        var start = (_used + 7) & ~7;
        if (start + count > size)
        {
            throw new InvalidOperationException("the memory of a start was measured too small");
        }

        _used = start + count;
        return _memory + start;
    }

    public byte* Text(string text) => Text(text, out _);

    public byte* Text(string text, out int length)
    {
        length = Encoding.UTF8.GetByteCount(text);
        var target = (byte*)Take(length + 1);
        Encoding.UTF8.GetBytes(text, new Span<byte>(target, length));
        return target;
    }

    public void Dispose() => NativeMemory.Free(_memory);
}
