using Drella.Core.Secrets;

namespace Drella.Core.PullRequests;

/// <summary>
/// Judges a delivered change before anything of it leaves. Pure: the same change, options and waivers give the same report.
/// No waiver opens Git's own names, submodules, links out of the tree, unreadable paths or secrets.
/// </summary>
public sealed class ContentPolicy(ContentPolicyOptions options, SecretScanner scanner)
{
    private const int MaxScanned = 1 << 20;
    private const int MostRefusals = 100;
    private const string NoMode = "000000";

    public PolicyReport Judge(ChangeSet change, PolicyWaivers waivers)
    {
        var refusals = JudgeWhole(change)
            .Concat(change.Commits.SelectMany(JudgeCommit))
            .Concat(change.Files.SelectMany(f => JudgeFile(f, waivers)))
            .OrderByDescending(r => r.IsBlocking)
            .ToList();
        if (refusals.Count > MostRefusals)
        {
            var left = refusals.Count - MostRefusals;
            refusals = [.. refusals.Take(MostRefusals), new Refusal("more", null, $"{left} more findings are not shown.", refusals[MostRefusals].IsBlocking)];
        }

        return new PolicyReport(refusals);
    }

    private IEnumerable<Refusal> JudgeWhole(ChangeSet change)
    {
        if (!change.IsDescendant)
        {
            yield return Block("not-descendant", null, "The branch does not descend from the commit the work began on. Put your commits on that commit again.");
        }

        if (change.Files.Count == 0 && !change.Truncated)
        {
            yield return Block("empty", null, "Nothing differs from the base. Commit your work first.");
        }

        if (change.Truncated || change.Files.Count > options.MaxFiles)
        {
            yield return Block("too-many-files", null, $"The change is too large; at most {options.MaxFiles} files may differ. Leave out what is generated or vendored.");
        }

        if (change.Commits.Count > options.MaxCommits)
        {
            yield return Block("too-many-commits", null, $"There are {change.Commits.Count} commits; at most {options.MaxCommits}. Squash some.");
        }

        var total = change.Files.Sum(f => f.Size);
        if (total > options.MaxTotalBytes)
        {
            yield return Block("too-large", null, $"The changed files have {total} bytes together; at most {options.MaxTotalBytes}.");
        }
    }

    private IEnumerable<Refusal> JudgeCommit(ChangedCommit commit)
    {
        var name = commit.ObjectId[..Math.Min(10, commit.ObjectId.Length)];
        foreach (var finding in scanner.Scan(commit.Message).Concat(scanner.Scan($"{commit.AuthorName} {commit.AuthorEmail}")))
        {
            yield return Block("secret", null, $"The message or author of commit {name} holds a secret ({finding.Rule}). Write it again without.");
        }

        if (options.GuestEmail is { } email && !string.Equals(commit.AuthorEmail, email, StringComparison.OrdinalIgnoreCase))
        {
            yield return Flag("foreign-author", null, $"Commit {name} names somebody else as its author. It is published under the factory's name.");
        }
    }

    private IEnumerable<Refusal> JudgeFile(ChangedFile file, PolicyWaivers waivers)
    {
        var path = PathRules.Printable(file.Path);
        var isWaived = waivers.Paths.Any(p => PathPattern.IsMatch(p, file.Path));

        // What the base has already, odd as it may be named, may be changed and removed.
        if (file.OldMode == NoMode && PathRules.Fault(file, options.MaxPathLength) is { } fault)
        {
            yield return Block("path", path, fault);
        }

        if (file.NewMode == "160000" || file.OldMode == "160000")
        {
            yield return Block("submodule", path, "Submodules may not be added, changed or removed. Take the files into the repository, or use a package.");
            yield break;
        }

        if (options.ProtectedPaths.Any(p => PathPattern.IsMatch(p, file.Path)) && !isWaived)
        {
            yield return Block("protected-path", path, "This path is protected and the spec does not allow a change of it. Leave it as it was.");
        }
        else if (options.FlaggedPaths.Any(p => PathPattern.IsMatch(p, file.Path)))
        {
            yield return Flag("instructions", path, "Tools of other people act on this file; the reviewer is told.");
        }

        if (file.NewMode == NoMode)
        {
            yield break;
        }

        foreach (var refusal in file.NewMode == "120000" ? JudgeLink(file, path, isWaived) : JudgeContent(file, path, isWaived))
        {
            yield return refusal;
        }

        foreach (var finding in scanner.Scan(file.AddedText ?? ""))
        {
            yield return Block("secret", path, $"Line {finding.Line} holds a secret ({finding.Rule}). Take it out of every commit; if a test needs one, build it at run time.");
        }
    }

    private static IEnumerable<Refusal> JudgeLink(ChangedFile file, string path, bool isWaived)
    {
        if (file.AddedText is not { } target || PathRules.LeavesTree(file.Path, target))
        {
            yield return Block("symlink", path, "This symbolic link points out of the repository. Remove it.");
        }
        else if (!isWaived)
        {
            yield return Block("symlink", path, "Symbolic links may not be added or changed. Use a copy or a reference in the build.");
        }
    }

    private IEnumerable<Refusal> JudgeContent(ChangedFile file, string path, bool isWaived)
    {
        if (file.NewMode is not ("100644" or "100755"))
        {
            yield return Block("mode", path, $"Mode {PathRules.Printable(file.NewMode)} is not one of 100644 and 100755.");
        }
        else if (file.NewMode == "100755" && file.OldMode != "100755")
        {
            yield return Flag("executable", path, "The file becomes executable; the reviewer is told.");
        }

        if (file.Size > options.MaxFileBytes && !isWaived)
        {
            yield return Block("file-too-large", path, $"The file has {file.Size} bytes; at most {options.MaxFileBytes}.");
        }

        if (file.AddedText is null && file.Size > 0)
        {
            yield return PathRules.IsTextName(file.Path) && !isWaived
                ? Block("not-text", path, "The name says text, but the content is binary or too large to be checked. Store it as plain UTF-8.")
                : Flag("binary", path, "The content is binary and was not searched for secrets.");
        }
        else if (file.AddedText is { Length: >= MaxScanned } && !isWaived)
        {
            yield return Block("not-scanned", path, "More than 1 MiB of text is added here, which is too much to be checked. Split the file or leave it out.");
        }

        foreach (var (rule, explanation) in ContentFlags.Of(file, options.RegistryHosts))
        {
            yield return Flag(rule, path, explanation);
        }
    }

    private static Refusal Block(string rule, string? path, string explanation) => new(rule, path, explanation, true);

    private static Refusal Flag(string rule, string? path, string explanation) => new(rule, path, explanation, false);
}
