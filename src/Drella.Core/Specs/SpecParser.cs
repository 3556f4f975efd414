using System.Globalization;
using System.Text.RegularExpressions;
using Drella.Core.Forges;

namespace Drella.Core.Specs;

/// <summary>Reads specs. Pure; reports every problem at once, each with its line.</summary>
public static partial class SpecParser
{
    /// <summary>Largest spec that is read, bytes.</summary>
    public const int MaxBytes = 256 * 1024;

    private const int MaxTitle = 120;
    private static readonly string[] Keys =
        ["version", "repo", "base", "title", "pipeline", "profile", "agent", "priority", "budget", "depends_on", "timeout"];

    /// <summary>Reads a spec file.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="fallback">What holds where the header is silent: repository and title.</param>
    public static SpecResult Parse(ReadOnlySpan<byte> bytes, SpecDefaults fallback)
    {
        var parsed = FrontMatter.Read(bytes, MaxBytes);
        var problems = new List<Problem>(parsed.Problems);
        if (problems.Count > 0)
        {
            return new SpecResult(null, problems);
        }

        var header = new Header(parsed.Fields, problems);
        header.RefuseUnknown(Keys);
        if (header.Text("version") is { } version && version != Spec.CurrentVersion.ToString(CultureInfo.InvariantCulture))
        {
            header.Wrong("version", $"version {Shown(version)} of the header is not known here", $"write version: {Spec.CurrentVersion}");
        }

        var repo = ReadRepo(header, fallback);
        var body = parsed.Body.Trim('\n');
        var title = header.Text("title") ?? FirstHeading(body) ?? fallback.Title;
        if (string.IsNullOrWhiteSpace(title))
        {
            problems.Add(new Problem(1, "there is no title", "write 'title: …' in the header or a '# heading' in the body"));
        }
        else if (title.Length > MaxTitle || title.Any(char.IsControl))
        {
            header.Wrong("title", $"the title must be one line of at most {MaxTitle} characters", null);
        }

        if (string.IsNullOrWhiteSpace(body))
        {
            problems.Add(new Problem(parsed.BodyLine, "there is no text behind the header", "say what is wanted, and how one can tell that it is there"));
        }

        var spec = new Spec
        {
            Repo = repo,
            Base = header.Name("base", BranchName(), "a branch name"),
            Title = title?.Trim() ?? "",
            Pipeline = header.Name("pipeline", PlainName(), "a name of a-z, 0-9 and -"),
            Profile = header.Name("profile", PlainName(), "a name of a-z, 0-9 and -"),
            Agent = header.Name("agent", PlainName(), "a name of a-z, 0-9 and -"),
            Priority = ReadPriority(header),
            Budget = ReadBudget(header),
            DependsOn = header.List("depends_on", SpecName(), "names of specs in this folder, such as 'add-login'"),
            Timeout = ReadTimeout(header),
            Body = body,
            AcceptanceCriteria = [.. Sections.Items(body, parsed.BodyLine, "acceptance criteria").Select(item => item.Text)],
            OpenQuestions = [.. Sections.Items(body, parsed.BodyLine, "open questions").Where(item => !item.IsTicked)
                .Select(item => new Problem(item.Line, item.Text, null))],
        };
        return problems.Count > 0 ? new SpecResult(null, problems) : new SpecResult(spec, []);
    }

    /// <summary>The canonical name of a spec file: its file name without <c>.md</c>, lower case. Null when the file name is not allowed.</summary>
    public static string? NameOf(string fileName)
    {
        var name = fileName.EndsWith(".md", StringComparison.OrdinalIgnoreCase) ? fileName[..^3].ToLowerInvariant() : null;
        return name is not null && SpecName().IsMatch(name) ? name : null;
    }

    private static RepoName ReadRepo(Header header, SpecDefaults fallback)
    {
        if (header.Text("repo") is not { } text)
        {
            if (fallback.Repo is { } only)
            {
                return only;
            }

            header.Wrong("repo", "'repo' is missing", "write 'repo: owner/name' in the header");
            return default;
        }

        if (!RepoName.TryParse(text, out var repo))
        {
            header.Wrong("repo", $"'{Shown(text)}' is not a repository", "write it as owner/name");
        }

        return repo;
    }

    private static int ReadPriority(Header header)
    {
        if (header.Text("priority") is not { } text)
        {
            return 0;
        }

        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var priority) || priority is < -100 or > 100)
        {
            header.Wrong("priority", $"'{Shown(text)}' is not a whole number from -100 to 100", null);
        }

        return priority;
    }

    private static long? ReadBudget(Header header)
    {
        if (header.Text("budget") is not { } text)
        {
            return null;
        }

        var number = text.StartsWith('$') ? text[1..] : text;
        if (!decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var dollars) || dollars is <= 0 or > 10_000)
        {
            header.Wrong("budget", $"'{Shown(text)}' is not an amount of US dollars above 0 and up to 10000", "write for instance 'budget: 2.50'");
            return null;
        }

        return (long)(dollars * 1_000_000);
    }

    private static TimeSpan? ReadTimeout(Header header)
    {
        if (header.Text("timeout") is not { } text)
        {
            return null;
        }

        var match = Duration().Match(text);
        var minutes = match.Success ? int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) * (match.Groups[2].Value == "h" ? 60 : 1) : 0;
        if (minutes is < 1 or > 24 * 60)
        {
            header.Wrong("timeout", $"'{Shown(text)}' is not a time from 1m to 24h", "write for instance 'timeout: 90m'");
            return null;
        }

        return TimeSpan.FromMinutes(minutes);
    }

    private static string? FirstHeading(string body) =>
        body.Split('\n').FirstOrDefault(line => line.StartsWith("# ", StringComparison.Ordinal))?[2..].Trim();

    internal static string Shown(string text) => text.Length <= 60 ? text : text[..60] + "…";

    [GeneratedRegex(@"^[a-z0-9][a-z0-9-]{0,62}$")]
    private static partial Regex PlainName();

    [GeneratedRegex(@"^[a-z0-9][a-z0-9._-]{0,99}$")]
    private static partial Regex SpecName();

    [GeneratedRegex(@"^(?!/|.*(?:\.\.|//|@\{|\.lock(?:/|$)))[A-Za-z0-9][A-Za-z0-9._/-]{0,198}(?<![./])$")]
    private static partial Regex BranchName();

    [GeneratedRegex(@"^([0-9]{1,4})(m|h)$")]
    private static partial Regex Duration();
}

/// <summary>What holds where a spec is silent.</summary>
public sealed record SpecDefaults(RepoName? Repo, string? Title);
