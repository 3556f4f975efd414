using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Drella.Configuration;
using Drella.Core.Specs;
using Drella.Gateway.Tapes;
using Drella.Terminal;
using Drella.Verbs;

namespace Drella.Tests.Documents;

/// <summary>What the documents show works, and what they name is there.</summary>
public sealed partial class DocumentTests
{
    public static readonly string Root = FindRoot();

    /// <summary>Each kind of example in docs/formats, with the test that holds it. A new example without a test fails here.</summary>
    private static readonly string[] Tested =
    [
        "api.md json entry", "api.md json health", "api.md json job", "api.md json submission", "api.md json summary", // Drella.Web.Tests, ApiDocumentTests
        "channel.md hex", "channel.md json failure", "channel.md json request", "channel.md json response", // Gjoll.Guest.Tests, ChannelDocumentTests
        "configuration.md yaml", // ConfigurationDocumentTests
        "egress.md json", "egress.md yaml", // Gjoll.Egress.Tests, DocumentTests
        "environment.md yaml", // Gjoll.Cli.Tests, DocumentTests
        "image.md json", "image.md yaml", // Gjoll.Tests, ImageDocumentTests
        "journal.md json", // Drella.Drivers.Tests, JournalSchemaTests
        "spec.md markdown", // Drella.Core.Tests, SpecDocumentTests
        "stub-agent.md json", "tape.md json", "tape.md yaml", "transcript.md jsonl", // Drella.Drivers.Tests, FormatDocumentTests; tapes below
    ];

    [Fact]
    public void Examples_AllHaveATest()
    {
        var found = Directory.EnumerateFiles(Path.Combine(Root, "docs", "formats"), "*.md")
            .SelectMany(file => Fence().Matches(File.ReadAllText(file)).Select(match => $"{Path.GetFileName(file)} {match.Groups["info"].Value}".Trim()));

        Assert.Equal(Tested, found.Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Tape_ExamplesAreTapes()
    {
        var examples = Fence().Matches(Read("docs/formats/tape.md")).ToDictionary(match => match.Groups["info"].Value, match => match.Groups["body"].Value);

        Assert.Equal(4, TapeReader.Read(examples["yaml"]).Scripts.Count);
        Assert.NotNull(new RecordedTape(examples["json"].Split('\n', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Throws<FormatException>(() => new RecordedTape([examples["json"].Replace("\"request\"", "\"requested\"", StringComparison.Ordinal)]));
    }

    [Fact]
    public void Commands_AreUnderstoodByTheProgram()
    {
        var commands = Pages().SelectMany(page => Commands(Read(page)).Select(command => (page, command))).ToList();

        // Guards the search below: a page that is written otherwise would leave nothing to hold.
        Assert.True(commands.Count > 15, string.Join('\n', commands));
        Assert.All(commands, entry =>
        {
            var parsed = Verbs.Root.Build(TextWriter.Null, TextWriter.Null).Parse(entry.command.Split(' '));

            // A sentence may name a verb without its arguments.
            var errors = parsed.Errors.Select(error => error.Message).Where(message => !message.StartsWith("Required argument", StringComparison.Ordinal)).ToList();
            Assert.True(errors.Count == 0, $"{entry.page}: drella {entry.command}: {string.Join(' ', errors)}");
        });
    }

    [Fact]
    public void Cli_ListsTheExitCodesAndTheVerbsThatThereAre()
    {
        var page = Read("docs/formats/cli.md");
        var codes = ExitCodeRow().Matches(page).Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));
        Assert.Equal(Enum.GetValues<ExitCode>().Select(code => (int)code), codes);

        var listed = page[page.IndexOf("| verb |", StringComparison.Ordinal)..];
        Assert.All(Leaves(Verbs.Root.Build(TextWriter.Null, TextWriter.Null), ""), verb =>
            Assert.True(
                listed.Contains($"`{verb}`", StringComparison.Ordinal) || listed.Contains($", `{verb.Split(' ')[^1]}`", StringComparison.Ordinal),
                $"cli.md does not say what 'drella {verb} --json' writes"));
    }

    [Fact]
    public void Links_LeadToFilesThatAreThere()
    {
        var links = Pages().SelectMany(page => Link().Matches(Read(page)).Select(match => (page, target: match.Groups[1].Value)))
            .Where(link => !link.target.Contains("://", StringComparison.Ordinal)).ToList();

        Assert.NotEmpty(links);
        Assert.All(links, link => Assert.True(Path.Exists(Path.Combine(Root, Path.GetDirectoryName(link.page)!, link.target.Split('#')[0])), $"{link.page} links to {link.target}"));
    }

    [Fact]
    public void Paths_ThatAreNamedAreThere()
    {
        string[] tops = ["src/", "tests/", "docs/", "bench/", "scripts/", "roles/", ".ci/", "./test", "./drella"];
        var paths = new[] { "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md" }
            .SelectMany(page => InlineCode().Matches(Read(page)).SelectMany(match => match.Groups[1].Value.Split(' ').Select(word => (page, path: word))))
            .Where(named => tops.Any(top => named.path.StartsWith(top, StringComparison.Ordinal))).ToList();

        Assert.NotEmpty(paths);
        Assert.All(paths, named => Assert.True(Path.Exists(Path.Combine(Root, named.path)), $"{named.page} names {named.path}"));
    }

    [Fact]
    public void Template_IsASpecOnceItsRepositoryIsNamed() =>
        Assert.Empty(SpecParser.Parse(Encoding.UTF8.GetBytes(Read("tasks-template/TEMPLATE.md")), new SpecDefaults(null, null)).Problems);

    [Fact]
    public void Configuration_ThatInitWritesLoads() => Assert.Empty(ConfigLoader.Parse(Read("drella.example.yaml"), "drella.yaml", "/").Problems);

    [Fact]
    public void Workflow_CallsTheScriptThatPeopleCall()
    {
        Assert.Contains(".ci/run", Read(".github/workflows/ci.yml"), StringComparison.Ordinal);
        Assert.Contains("./test", Read(".ci/run"), StringComparison.Ordinal);
        Assert.All(new[] { ".ci/run", "test", "drella", "scripts/prerequisites" }, script =>
            Assert.True(File.GetUnixFileMode(Path.Combine(Root, script)).HasFlag(UnixFileMode.UserExecute), script));
    }

    private static IEnumerable<string> Pages() => ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", .. Folder("docs/formats"), .. Folder("docs/adr")];

    private static IEnumerable<string> Folder(string folder) => Directory.EnumerateFiles(Path.Combine(Root, folder), "*.md").Select(file => Path.GetRelativePath(Root, file));

    /// <summary>Command lines in indented blocks and inline code; words in capitals stand for a value, <c>a|b</c> for each of them.</summary>
    private static IEnumerable<string> Commands(string page) => CommandLine().Matches(page)
        .Select(match => match.Groups[1].Value.Split('#')[0].Trim())
        .Where(command => command.Length > 0 && !command.Contains('…', StringComparison.Ordinal))
        .SelectMany(command => command.Split(' ').Aggregate(
            (IEnumerable<string>)[""], (lines, word) => lines.SelectMany(line => word.Split('|').Select(each => $"{line} {Value(each)}".Trim()))));

    private static string Value(string word) => word == "AMOUNT" ? "1" : word;

    private static IEnumerable<string> Leaves(Command command, string path) => command.Subcommands.Where(verb => !verb.Hidden).SelectMany(verb =>
    {
        var name = path.Length == 0 ? verb.Name : $"{path} {verb.Name}";
        return verb.Subcommands.Count > 0 ? Leaves(verb, name) : [name];
    });

    private static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Drella.slnx")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("Drella.slnx");
        }

        return folder.FullName;
    }

    [GeneratedRegex("^```(?<info>[^\n`]+)\n(?<body>.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Fence();

    [GeneratedRegex("\\]\\(([^)]+)\\)")]
    private static partial Regex Link();

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex InlineCode();

    [GeneratedRegex("(?:^    \\./|`(?:[A-Z_]+=… )?(?:\\./)?|')drella ([a-z][^`'\n]*)", RegexOptions.Multiline)]
    private static partial Regex CommandLine();

    [GeneratedRegex("^\\| (\\d+) \\|", RegexOptions.Multiline)]
    private static partial Regex ExitCodeRow();
}
