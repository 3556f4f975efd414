using System.Security.Cryptography;

namespace Drella.Daemon;

/// <summary>Host-side secrets in the data folder: files that only we may read, made on first use.</summary>
internal sealed class SecretFolder(string dataFolder)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string folder = Path.Combine(dataFolder, "secrets");

    /// <summary>The secret of that name; a fresh random one the first time.</summary>
    public string Ensure(string name)
    {
        Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
        var path = Path.Combine(folder, name);
        if (!File.Exists(path))
        {
            var fresh = path + ".new";
            using (var stream = new FileStream(fresh, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
            {
                stream.Write(System.Text.Encoding.ASCII.GetBytes(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24))));
                stream.Flush(flushToDisk: true);
            }

            File.Move(fresh, path, overwrite: false);
        }

        return File.ReadAllText(path).Trim();
    }
}
