using System.Globalization;

namespace Gjoll.Guest.Tests;

internal static class Processes
{
    /// <summary>How many live processes have exactly this command line.</summary>
    public static int With(params string[] command) =>
        All().Count(process => Read(process, "cmdline") == string.Join('\0', command) + "\0");

    /// <summary>Zombies count.</summary>
    public static int Children(int parent) => All().Count(process => Read(process, "stat") is { Length: > 0 } stat
        && int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture) == parent);

    private static IEnumerable<int> All() =>
        Directory.GetDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, out _)).Select(name => int.Parse(name!, CultureInfo.InvariantCulture));

    private static string Read(int process, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/{file}");
        }
        catch (IOException)
        {
            return "";
        }
        catch (UnauthorizedAccessException)
        {
            return "";
        }
    }
}
