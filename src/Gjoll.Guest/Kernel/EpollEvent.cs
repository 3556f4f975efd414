using System.Runtime.InteropServices;

namespace Gjoll.Guest.Kernel;

/// <summary>Packed on x64, and there only.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct EpollEvent
{
    public uint Events;
    public ulong Token;
}
