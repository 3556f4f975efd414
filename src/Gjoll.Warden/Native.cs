using System.Runtime.InteropServices;

namespace Gjoll.Warden;

internal static partial class Native
{
    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUserId();
}
