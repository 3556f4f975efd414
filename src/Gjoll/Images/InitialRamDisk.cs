using System.Text;

namespace Gjoll.Images;

/// <summary>What the kernel starts from: the guest agent as <c>/init</c>, and the modules that it loads, in the order of <c>/modules/order</c>.</summary>
internal static class InitialRamDisk
{
    public static byte[] Make(ReadOnlySpan<byte> guest, IReadOnlyList<(string Name, byte[] Content)> modules, DateTimeOffset timestamp)
    {
        var archive = new CpioArchive(timestamp);
        archive.AddFile("init", guest, executable: true);
        archive.AddFolder("modules");
        archive.AddFile("modules/order", Encoding.UTF8.GetBytes(string.Concat(modules.Select(module => module.Name + "\n"))));
        foreach (var (name, content) in modules)
        {
            archive.AddFile("modules/" + name, content);
        }

        return archive.Finish();
    }
}
