using System.Globalization;
using System.Text;

namespace Gjoll.Images;

/// <summary>Adds users to the files of a tree by their documented form; the programs that do so put the day of the build into them.</summary>
internal static class UserFiles
{
    /// <summary>What is read from the tree.</summary>
    public static readonly IReadOnlyList<string> Names = ["etc/passwd", "etc/group", "etc/shadow", "etc/gshadow"];

    private const string SkeletonFolder = "etc/skel/";
    private const UnixFileMode Readable = (UnixFileMode)0b110_100_100;
    private const UnixFileMode Secret = (UnixFileMode)0b110_100_000;

    public static bool IsWanted(string name) => Names.Contains(name) || name.StartsWith(SkeletonFolder, StringComparison.Ordinal);

    public static async Task AddAsync(
        OverlayTar overlay, IReadOnlyDictionary<string, byte[]> tree, IReadOnlyList<UserDefinition> users, DateTimeOffset timestamp, CancellationToken cancellationToken)
    {
        if (users.Count == 0)
        {
            return;
        }

        var day = (timestamp - DateTimeOffset.UnixEpoch).Days.ToString(CultureInfo.InvariantCulture);
        await AppendAsync("etc/passwd", user => $"{user.Name}:x:{user.Id}:{user.Id}::/home/{user.Name}:{user.Shell}", Readable, 0);
        await AppendAsync("etc/group", user => $"{user.Name}:x:{user.Id}:", Readable, 0);
        // A locked password: nobody signs in with one.
        await AppendAsync("etc/shadow", user => $"{user.Name}:!:{day}:0:99999:7:::", Secret, ShadowGroup());
        await AppendAsync("etc/gshadow", user => $"{user.Name}:!::", Secret, ShadowGroup());
        foreach (var user in users)
        {
            await AddHomeAsync(overlay, tree, user, cancellationToken);
        }

        async Task AppendAsync(string name, Func<UserDefinition, string> line, UnixFileMode mode, int group)
        {
            var before = tree.TryGetValue(name, out var bytes) ? Encoding.UTF8.GetString(bytes) : throw new GjollException($"The packages bring no /{name}.");
            await overlay.AddFileAsync("/" + name, mode, 0, group, before.TrimEnd('\n') + "\n" + string.Concat(users.Select(user => line(user) + "\n")), cancellationToken);
        }

        int ShadowGroup() => Encoding.UTF8.GetString(tree["etc/group"]).Split('\n')
            .Where(line => line.StartsWith("shadow:", StringComparison.Ordinal))
            .Select(line => int.Parse(line.Split(':')[2], CultureInfo.InvariantCulture))
            .FirstOrDefault();
    }

    private static async Task AddHomeAsync(OverlayTar overlay, IReadOnlyDictionary<string, byte[]> tree, UserDefinition user, CancellationToken cancellationToken)
    {
        await overlay.AddFolderAsync($"/home/{user.Name}", (UnixFileMode)0b111_101_000, user.Id, cancellationToken);
        foreach (var (name, content) in tree.Where(file => file.Key.StartsWith(SkeletonFolder, StringComparison.Ordinal)).OrderBy(file => file.Key, StringComparer.Ordinal))
        {
            await overlay.AddFileAsync($"/home/{user.Name}/{name[SkeletonFolder.Length..]}", Readable, user.Id, content, cancellationToken);
        }

        if (user.Sudo)
        {
            await overlay.AddFileAsync($"/etc/sudoers.d/{user.Name}", (UnixFileMode)0b100_100_000, 0, $"{user.Name} ALL=(ALL:ALL) NOPASSWD: ALL\n", cancellationToken);
        }
    }
}
