using System.Text;
using Gjoll.Guest.Kernel;

namespace Gjoll.Guest;

/// <summary>Short lines for whoever looks at the console. At most so many a minute: what a program of the guest does must not fill it.</summary>
/// <param name="prefix">Stands before each line: how the kernel is told that one is an error.</param>
internal sealed unsafe class Log(int descriptor, string prefix = "")
{
    private const int PerMinute = 60;

    private long _minute;
    private int _count;

    public void Write(string line)
    {
        var minute = Clock.Now / 60_000;
        _count = minute == _minute ? _count + 1 : 1;
        _minute = minute;
        if (_count > PerMinute)
        {
            return;
        }

        var text = Encoding.UTF8.GetBytes($"{prefix}gjoll-guest: {(line.Length > 300 ? line[..300] : line)}{(_count == PerMinute ? " (more is not logged this minute)" : "")}\n");
        fixed (byte* source = text)
        {
            _ = Libc.write(descriptor, source, (nuint)text.Length);
        }
    }
}
