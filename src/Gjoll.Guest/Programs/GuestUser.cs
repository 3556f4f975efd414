using System.Globalization;
using System.Text;
using Gjoll.Guest.Kernel;

namespace Gjoll.Guest.Programs;

/// <summary>A user as /etc/passwd and /etc/group know it: a static program has no name service.</summary>
internal sealed record GuestUser(string Name, uint Id, uint Group, IReadOnlyList<uint> Groups)
{
    private const int MaxGroups = 64;

    public static GuestUser? Find(string name)
    {
        foreach (var fields in Lines("/etc/passwd"))
        {
            if (fields.Length >= 4 && fields[0] == name && Number(fields[2]) is { } id && Number(fields[3]) is { } group)
            {
                return new GuestUser(name, id, group, GroupsOf(name, group));
            }
        }

        return null;
    }

    private static List<uint> GroupsOf(string name, uint own)
    {
        List<uint> groups = [own];
        foreach (var fields in Lines("/etc/group"))
        {
            if (fields.Length >= 4 && fields[3].Split(',').Contains(name) && Number(fields[2]) is { } id && !groups.Contains(id) && groups.Count < MaxGroups)
            {
                groups.Add(id);
            }
        }

        return groups;
    }

    private static IEnumerable<string[]> Lines(string file) =>
        Encoding.UTF8.GetString(Descriptors.TryReadFile(file, 1024 * 1024) ?? []).Split('\n').Select(line => line.Split(':'));

    private static uint? Number(string text) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
