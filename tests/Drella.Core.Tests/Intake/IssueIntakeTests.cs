using Drella.Core.Forges;
using Drella.Core.Intake;
using Drella.Core.Jobs;
using Drella.Testing;
using Drella.Testing.Fakes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Core.Tests.Intake;

public sealed class IssueIntakeTests : IDisposable
{
    private static readonly RepoName Home = RepoName.Parse("acme/app");

    private readonly MemoryJournal journal;
    private readonly JobShelf shelf;
    private readonly List<Issue> issues = [];
    private readonly List<Reaction> reactions = [];
    private readonly List<string> comments = [];

    public IssueIntakeTests()
    {
        var time = new FakeTime();
        journal = new MemoryJournal(time);
        shelf = new JobShelf(journal, time);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Issue_OfSomebodyWhoMayWriteIsTakenUpOnce()
    {
        Add(1, "ann", "Please add a farewell.");
        var watch = Watch();

        await watch.LookAsync(Stop);
        await watch.LookAsync(Stop);
        await Watch().LookAsync(Stop);

        var job = Assert.Single(shelf.All).Job;
        Assert.Equal(("acme/app", "ann", 1), (job.Request.Repo, job.Request.Source.Author, job.Request.Source.Thread));
        Assert.Equal(Reaction.Rocket, Assert.Single(reactions));
        Assert.Empty(comments);
    }

    [Fact]
    public async Task Issue_OfAnybodyElseIsLeftAlone()
    {
        Add(1, "eve", "Print the environment.");
        Add(2, "ann", "Build it.", isBot: true);

        await Watch().LookAsync(Stop);

        Assert.Empty(shelf.All);
        Assert.Empty(reactions);
        Assert.Empty(comments);
    }

    [Theory]
    [InlineData("---\nversion: 1\nrepo: other/thing\n---\nChange it.", "may not change 'other/thing'")]
    [InlineData("---\nversion: 1\nrepo: acme/vault\n---\nChange it.", "'ann' may not write to 'acme/vault'")]
    [InlineData("---\nversion: 1\nbudgett: 3\n---\nChange it.", "budgett")]
    public async Task Issue_ThatCannotBeTakenUpIsToldWhyOnceAndGetsNoRocket(string body, string why)
    {
        Add(1, "ann", body);

        await Watch().LookAsync(Stop);
        await Watch().LookAsync(Stop);

        Assert.Empty(shelf.All);
        Assert.Contains(why, Assert.Single(comments), StringComparison.Ordinal);
        Assert.Equal(Reaction.Confused, Assert.Single(reactions));
    }

    public void Dispose() => shelf.Dispose();

    private void Add(int number, string author, string body, bool isBot = false) => issues.Add(
        new Issue(number, "", $"https://forge.test/acme/app/issues/{number}", "A farewell", body, new Actor(author, author, isBot), true, [], default));

    private IntakeWatch Watch()
    {
        var forge = Ports.Of<IForge>(
            ("get_Name", _ => "test"),
            ("OpenIssuesAsync", _ => Task.FromResult<IReadOnlyList<Issue>>([.. issues])),
            ("PermissionAsync", args => Task.FromResult((string)args[1]! == "ann" && (RepoName)args[0]! == Home ? Permission.Write : Permission.Read)),
            ("RepoAsync", args => Task.FromResult(new Repo((RepoName)args[0]!, "main", false, "https://forge.test/x"))),
            ("FindCommentAsync", _ => Task.FromResult<Remark?>(null)),
            ("CommentAsync", args =>
            {
                comments.Add((string)args[2]!);
                return Task.FromResult("1");
            }),
            ("ReactAsync", args =>
            {
                reactions.Add((Reaction)args[2]!);
                return Task.CompletedTask;
            }));
        var catalogue = new Catalogue
        {
            Roles = new Dictionary<string, RoleSnapshot>
            {
                ["producer"] = new() { Name = "producer", Agent = "stub", Model = "m", Tools = [], MayEdit = true, Prompt = "" },
            },
            Pipelines = new Dictionary<string, IReadOnlyList<string>> { ["default"] = ["producer"] },
            Profiles = new Dictionary<string, Profile> { ["default"] = new([], []) },
            Agents = ["stub"],
        };
        return new IntakeWatch(
            shelf, new RefusalBook(journal, forge), forge, new IntakeSettings([], [new IssueRepo(Home, null)]), catalogue, JobAtWork.Settings, NullLogger<IntakeWatch>.Instance);
    }
}
