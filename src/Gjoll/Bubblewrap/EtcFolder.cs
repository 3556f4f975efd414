using Gjoll.Channel;
using Gjoll.Hosts;

namespace Gjoll.Bubblewrap;

/// <summary>The guest's <c>/etc</c>: made, not copied, so that nothing of the host's configuration is told.</summary>
internal static class EtcFolder
{
    /// <summary>Taken from the host read-only, where they exist: what programs need to run at all.</summary>
    public static readonly IReadOnlyList<string> FromHost =
        ["/etc/alternatives", "/etc/ld.so.cache", "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted", "/etc/dotnet"];

    public static void Write(string folder, string hostname)
    {
        Directory.CreateDirectory(folder);
        File.SetUnixFileMode(folder, Modes.FolderForAll);
        Text("passwd", $"root:x:0:0:root:/nonexistent:/usr/sbin/nologin\n{GuestPaths.UserName}:x:1000:1000::{GuestPaths.Home}:/bin/sh\nnobody:x:65534:65534::/nonexistent:/usr/sbin/nologin\n");
        Text("group", $"root:x:0:\n{GuestPaths.UserName}:x:1000:\nnogroup:x:65534:\n");
        Text("hosts", $"127.0.0.1 localhost {hostname}\n::1 localhost\n");
        Text("hostname", hostname + "\n");
        Text("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n");
        Text("resolv.conf", "");
        Text("shells", "/bin/sh\n/bin/bash\n");

        foreach (var source in FromHost.Where(Path.Exists))
        {
            // Places to mount on: the folder is read-only for bubblewrap.
            var place = Path.Combine(folder, source["/etc/".Length..]);
            if (Directory.Exists(source))
            {
                Directory.CreateDirectory(place);
            }
            else
            {
                Directory.CreateDirectory(Path.GetDirectoryName(place)!);
                Text(source["/etc/".Length..], "");
            }
        }

        void Text(string name, string content)
        {
            var path = Path.Combine(folder, name);
            File.WriteAllText(path, content);
            File.SetUnixFileMode(path, Modes.FileForAll);
        }
    }
}
