using Drella.Core;
using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Core.PullRequests;
using Drella.Drivers.Git;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Drivers.Tests.Git;

/// <summary>A forge with one commit on main, a quarantine that has fetched it, and a guest that cloned the seed.</summary>
internal sealed class QuarantineFixture : IAsyncDisposable
{
    public static readonly RepoName Repo = RepoName.Parse("Acme/shop");
    public static readonly JobId Job = JobId.For("test");
    public static readonly Identity Factory = new("drella", "drella@factory.example");
    public static readonly string[] Trailers = ["Co-authored-by: Somebody <s@example.org>", "Drella-Job: j1"];

    private readonly string folder = Directory.CreateTempSubdirectory("drella-quarantine-").FullName;

    public required LoopbackForge Forge { get; init; }

    public required GuestGit Guest { get; init; }

    public Quarantine Quarantine { get; private set; } = null!;

    public string Base { get; private set; } = "";

    public string Folder => Path.Combine(folder, "quarantine");

    public string Store => Path.Combine(Folder, "acme__shop.git");

    public static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<QuarantineFixture> StartAsync(Action<QuarantineOptions>? change = null)
    {
        var fixture = new QuarantineFixture { Forge = await LoopbackForge.StartAsync(), Guest = new GuestGit() };
        var options = new QuarantineOptions { Folder = fixture.Folder };
        change?.Invoke(options);
        fixture.Quarantine = new Quarantine(options, TimeProvider.System, NullLogger<Quarantine>.Instance);

        using var author = new GuestGit();
        author.Run("init", "-q", "-b", "main");
        author.Write("README.md", "one\ntwo\nthree\n");
        author.Write("in-progress/spec.md", "Do it.\n");
        fixture.Base = author.Commit("Begin");
        author.Run("push", "-q", fixture.Forge.Bare.Folder, "main");

        Assert.Equal(fixture.Base, await fixture.Quarantine.FetchAsync(Repo, fixture.Forge.Access, "main", Token));
        var seed = Path.Combine(fixture.folder, "seed.bundle");
        await using (var file = File.Create(seed))
        {
            await fixture.Quarantine.WriteSeedAsync(Repo, [new SeedBranch("main", fixture.Base)], file, Token);
        }

        fixture.Guest.Run("clone", "-q", "-b", "main", seed, ".");
        fixture.Guest.Run("checkout", "-q", "-b", "work");
        return fixture;
    }

    public Task<string> IngestAsync(params string[] revisions) =>
        Quarantine.IngestAsync(Repo, Job, Guest.Bundle(revisions.Length == 0 ? ["main..work"] : revisions), Token);

    public async Task<string> RefusedAsync(Stream bundle)
    {
        var before = Files();
        var refusal = await Assert.ThrowsAsync<DriverException>(() => Quarantine.IngestAsync(Repo, Job, bundle, Token));
        Assert.Equal(DriverFailure.Invalid, refusal.Failure);
        Assert.Equal(before, Files());
        return refusal.Message;
    }

    public Task<ChangeSet> InspectAsync(string head) => Quarantine.InspectAsync(Repo, Base, head, Token);

    public Task<string> RewriteAsync(string head, FileMove? move = null, string? parent = null, string? from = null) =>
        Quarantine.RewriteAsync(Repo, new RewriteOrder(from ?? Base, head, parent ?? Base, Factory, Trailers, move), Token);

    public Task PushAsync(string commit, string? expected, string branch = "drella/1-test") =>
        Quarantine.PushAsync(Repo, Forge.Access, commit, branch, expected, Token);

    public string Show(params string[] arguments)
    {
        using var git = new GuestGit(Path.Combine(folder, "reader"));
        return git.Run(["--git-dir", Store, .. arguments]);
    }

    /// <summary>Everything in the quarantine folder: what a refused bundle must leave as it was.</summary>
    public IEnumerable<string> Files() => [.. Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];

    public async ValueTask DisposeAsync()
    {
        await Forge.DisposeAsync();
        Guest.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
