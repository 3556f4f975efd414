using System.Text.RegularExpressions;

namespace Drella.Core.PullRequests;

/// <summary>What a reviewer should know about added text although it is allowed.</summary>
internal static partial class ContentFlags
{
    private static readonly HashSet<string> LockFiles = new(StringComparer.OrdinalIgnoreCase)
    {
        "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock", "requirements.txt",
        "Cargo.lock", "Gemfile.lock", "composer.lock", "packages.lock.json",
    };

    public static IEnumerable<(string Rule, string Explanation)> Of(ChangedFile file, IEnumerable<string> registryHosts)
    {
        if (file.AddedText is not { } text)
        {
            yield break;
        }

        var name = file.Path[(file.Path.LastIndexOf('/') + 1)..];
        if (text.StartsWith("version https://git-lfs.github.com/spec/", StringComparison.Ordinal) || text.StartsWith("version https://hawser.github.com/spec/", StringComparison.Ordinal))
        {
            yield return ("lfs-pointer", "The file is a Git LFS pointer; its content was neither fetched nor checked.");
        }

        if (string.Equals(name, "package.json", StringComparison.OrdinalIgnoreCase) && InstallScript().IsMatch(text))
        {
            yield return ("install-script", "A script is added that runs when somebody installs the package; the reviewer is told.");
        }

        if (LockFiles.Contains(name))
        {
            var known = registryHosts.ToHashSet(StringComparer.OrdinalIgnoreCase);
            var foreign = Host().Matches(text).Select(m => m.Groups[1].Value).Where(h => !known.Contains(h)).Distinct(StringComparer.OrdinalIgnoreCase).Take(5).ToArray();
            if (foreign.Length > 0)
            {
                yield return ("lock-file-host", $"The lock file names hosts that are not known registries: {string.Join(", ", foreign.Select(PathRules.Printable))}.");
            }
        }
    }

    [GeneratedRegex("\"(?:preinstall|install|postinstall|prepare|prepublish|preprepare|postprepare)\"\\s*:", RegexOptions.CultureInvariant)]
    private static partial Regex InstallScript();

    [GeneratedRegex(@"(?:https?|git|ssh|git\+ssh|git\+https)://(?:[^/@\s""']{0,100}@)?([A-Za-z0-9.-]{1,253})", RegexOptions.CultureInvariant)]
    private static partial Regex Host();
}
