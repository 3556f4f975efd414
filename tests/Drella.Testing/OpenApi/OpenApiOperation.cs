using System.Text.Json;
using System.Text.RegularExpressions;

namespace Drella.Testing.OpenApi;

/// <summary>One method on one path template of the description.</summary>
public sealed record OpenApiOperation(string Method, string Path, JsonElement Definition)
{
    // These parameters may hold slashes: branch names, file paths, and pairs of branch names.
    private static readonly HashSet<string> MultiSegment = ["path", "ref", "branch", "basehead", "commit_sha", "head"];

    private readonly Regex _pattern = Compile(Path);

    public string Name => $"{Method} {Path}";

    internal int Literals { get; } = Path.Split('/').Count(s => !s.StartsWith('{'));

    internal bool Matches(string path) => _pattern.IsMatch(path);

    private static Regex Compile(string path)
    {
        var pattern = Regex.Replace(
            Regex.Escape(path),
            @"\\\{(\w+)}",
            m => MultiSegment.Contains(m.Groups[1].Value) ? ".+" : "[^/]+",
            RegexOptions.None,
            TimeSpan.FromSeconds(1));
        return new Regex($"^{pattern}$", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
    }
}
