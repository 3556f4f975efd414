using Drella.Core.Jobs;
using Drella.Core.Roles;

namespace Drella.Daemon;

/// <summary>Loads roles: the shipped ones, and over them those of the operator's folder.</summary>
internal static class RoleShelf
{
    /// <summary>Folder of the shipped roles, beside the program.</summary>
    public static string Shipped => Path.Combine(AppContext.BaseDirectory, "roles");

    /// <summary>Every role by name; what is wrong with a file goes to <paramref name="problems"/>.</summary>
    public static IReadOnlyDictionary<string, RoleSnapshot> Load(string? folder, List<string> problems)
    {
        var roles = new Dictionary<string, RoleSnapshot>();
        foreach (var place in new[] { Shipped, folder }.OfType<string>())
        {
            if (!Directory.Exists(place))
            {
                problems.Add($"the folder of roles '{place}' is not there");
                continue;
            }

            foreach (var file in Directory.EnumerateFiles(place, "*.md").Order(StringComparer.Ordinal))
            {
                var parsed = RoleParser.Parse(File.ReadAllBytes(file), Path.GetFileName(file));
                problems.AddRange(parsed.Problems.Select(problem => $"{file}: {problem}"));
                if (parsed.Role is { } role)
                {
                    roles[role.Name] = role;
                }
            }
        }

        return roles;
    }
}
