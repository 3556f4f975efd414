namespace Gjoll.Guest.Kernel;

internal static unsafe class StandardDescriptors
{
    /// <summary>Whoever started us may have closed them; a pipe or a link must not come to stand in their place.</summary>
    public static void Open()
    {
        const int Last = 2;
        int descriptor;
        do
        {
            descriptor = Descriptors.TryOpen("/dev/null", Libc.O_RDWR);
        }
        while (descriptor is >= 0 and <= Last);
        Descriptors.Close(ref descriptor);
    }
}
