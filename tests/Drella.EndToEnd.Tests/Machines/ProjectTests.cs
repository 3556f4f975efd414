using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Daemon;

namespace Drella.EndToEnd.Tests.Machines;

/// <summary>An agent on a tape changes, builds and tests projects with the tools that the image holds, in virtual machines.</summary>
[Trait("Category", "vm")]
public sealed class ProjectTests(FullImage image) : IClassFixture<FullImage>
{
    private static readonly (string Folder, string Repo)[] Projects = [("csharp", "factory/tally"), ("typescript", "factory/span"), ("python", "factory/slugs")];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Projects_OfThreeLanguagesAreBuiltAndTestedWhereTheAgentWorks()
    {
        await using var factory = await FactoryFixture.StartAsync(
            await TapeAsync(),
            $$"""
            sandbox: { provider: qemu, image: "{{image.Reference}}", images: "{{image.StoreFolder}}", memory: 3GiB }
            queue: { jobs: 1 }
            """);
        factory.Patience = TimeSpan.FromMinutes(30);
        await factory.Daemon.Providers.Prepared.WaitAsync(factory.Patience, Token);
        foreach (var (folder, repo) in Projects)
        {
            await BuiltinForge.EnsureRepositoryAsync(factory.Daemon.Builtin!.Admin, RepoName.Parse(repo), FilesOf(folder), Token);
            await factory.MergeSpecAsync(folder, await File.ReadAllTextAsync(Shipped(folder, "spec.md"), Token));
        }

        factory.Daemon.Factory.Nudge();
        foreach (var (_, repo) in Projects)
        {
            var job = await factory.JobAsync(job => job.Request.Repo.ToString() == repo && (job.Conclusion is not null || job is { Phase: JobPhase.InReview, Step: null }));

            // The tape goes on only when builds and tests said what they must; nothing else opens the pull request.
            Assert.True(job.Conclusion is null, factory.Story());
            Assert.True(job.IsReady, factory.Story());
            Assert.Equal(SandboxChoice.Qemu, job.SandboxProvider);
        }
    }

    private static async Task<string> TapeAsync()
    {
        var scripts = await Task.WhenAll(Projects.Select(project => File.ReadAllTextAsync(Shipped(project.Folder, "tape.yaml"), Token)));
        return $"defaults: {{ usage: {{in: 2000, out: 100}} }}\nscripts:\n{string.Concat(scripts)}";
    }

    private static Dictionary<string, string> FilesOf(string folder)
    {
        var root = Shipped(folder, "files");
        return Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).ToDictionary(file => Path.GetRelativePath(root, file), File.ReadAllText);
    }

    private static string Shipped(params ReadOnlySpan<string> parts) => Path.Combine([AppContext.BaseDirectory, "projects", .. parts]);
}
