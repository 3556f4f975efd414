using System.Runtime.InteropServices;
using Gjoll;

namespace Terminal.Common;

/// <summary>The terminal of whoever runs this, handing every key on as it is until disposed.</summary>
public sealed partial class RawTerminal : IDisposable
{
    private const int Input = 0;
    private const int Output = 1;
    private const int AfterOutput = 1;
    private const nuint GetWindowSize = 0x5413;

    // struct termios is 60 bytes with glibc and musl, on x64 and arm64.
    private readonly byte[] _before = new byte[128];
    private bool _isRaw;

    private RawTerminal()
    {
    }

    public static bool IsInteractive => IsTerminal(Input) == 1 && IsTerminal(Output) == 1;

    public static bool InputIsTerminal => IsTerminal(Input) == 1;

    public static RawTerminal Enter()
    {
        var terminal = new RawTerminal();
        if (GetAttributes(Input, terminal._before) == 0)
        {
            var raw = (byte[])terminal._before.Clone();
            MakeRaw(raw);
            terminal._isRaw = SetAttributes(Input, AfterOutput, raw) == 0;
        }

        return terminal;
    }

    /// <summary>80 × 24 where nothing better is known.</summary>
    public static TerminalSize Size()
    {
        // struct winsize: rows, columns, two more.
        Span<ushort> size = stackalloc ushort[4];
        return Control(Output, GetWindowSize, ref MemoryMarshal.GetReference(size)) == 0 && size[0] > 0 && size[1] > 0
            ? new TerminalSize(size[1], size[0])
            : new TerminalSize(80, 24);
    }

    public void Dispose()
    {
        if (_isRaw)
        {
            _ = SetAttributes(Input, AfterOutput, _before);
            _isRaw = false;
        }
    }

    [LibraryImport("libc", EntryPoint = "isatty")]
    private static partial int IsTerminal(int descriptor);

    [LibraryImport("libc", EntryPoint = "tcgetattr")]
    private static partial int GetAttributes(int descriptor, [Out] byte[] attributes);

    [LibraryImport("libc", EntryPoint = "tcsetattr")]
    private static partial int SetAttributes(int descriptor, int when, byte[] attributes);

    [LibraryImport("libc", EntryPoint = "cfmakeraw")]
    private static partial void MakeRaw([In, Out] byte[] attributes);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int Control(int descriptor, nuint request, ref ushort size);
}
