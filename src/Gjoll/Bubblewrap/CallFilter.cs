using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Gjoll.Bubblewrap;

/// <summary>
/// The filter on a guest's system calls, as the kernel takes it (a classic BPF program). It closes what no namespace walls off: sockets to the hypervisor
/// that the host itself may run under, and the second way to make a socket, which no filter sees.
/// </summary>
internal static class CallFilter
{
    private const uint VsockFamily = 40;
    private const uint IoUringSetup = 425;
    private const uint X32 = 0x4000_0000;

    private const ushort Load = 0x20;
    private const ushort JumpIfEqual = 0x15;
    private const ushort JumpIfAtLeast = 0x35;
    private const ushort Return = 0x06;

    private const uint Allow = 0x7fff_0000;
    private const uint NoSuchFamily = 0x0005_0000 | 97;
    private const uint NoSuchCall = 0x0005_0000 | 38;

    // Offsets in struct seccomp_data; all of these machines have the low half of an argument first.
    private const uint Number = 0;
    private const uint Architecture = 4;
    private const uint FirstArgument = 16;

    /// <summary>Null on a machine that it is not written for.</summary>
    public static byte[]? ForThisMachine() => RuntimeInformation.OSArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => For(0xc000_003e, 41),
        System.Runtime.InteropServices.Architecture.Arm64 => For(0xc000_00b7, 198),
        _ => null,
    };

    private static byte[] For(uint architecture, uint socket) => Encode(
    [
        (Load, 0, 0, Architecture),
        // Programs of another architecture of the same machine have other numbers for the same calls.
        (JumpIfEqual, 0, 6, architecture),
        (Load, 0, 0, Number),
        (JumpIfAtLeast, 4, 0, X32),
        (JumpIfEqual, 3, 0, IoUringSetup),
        (JumpIfEqual, 0, 3, socket),
        (Load, 0, 0, FirstArgument),
        (JumpIfEqual, 2, 1, VsockFamily),
        (Return, 0, 0, NoSuchCall),
        (Return, 0, 0, Allow),
        (Return, 0, 0, NoSuchFamily),
    ]);

    private static byte[] Encode(IReadOnlyList<(ushort Code, byte IfTrue, byte IfFalse, uint Value)> program)
    {
        var bytes = new byte[program.Count * 8];
        for (var index = 0; index < program.Count; index++)
        {
            var at = bytes.AsSpan(index * 8);
            BinaryPrimitives.WriteUInt16LittleEndian(at, program[index].Code);
            (at[2], at[3]) = (program[index].IfTrue, program[index].IfFalse);
            BinaryPrimitives.WriteUInt32LittleEndian(at[4..], program[index].Value);
        }

        return bytes;
    }
}
