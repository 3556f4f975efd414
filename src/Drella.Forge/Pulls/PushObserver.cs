using System.Text.Json.Nodes;
using Dapper;
using Drella.Forge.Git;
using Drella.Forge.Issues;
using Drella.Forge.Rendering;
using Drella.Forge.Storage;
using Drella.Forge.Webhooks;

namespace Drella.Forge.Pulls;

/// <summary>What follows when refs moved, by a push or through the API: push events, closing words, pull requests.</summary>
internal sealed class PushObserver(Database database, RepositoryFolder folder, PullSync pulls, ClosingWords closing, Events events, TimeProvider time)
{
    private const int MaxCommits = 20;

    public async Task AfterPushAsync(RepoRow repo, UserRow actor, IReadOnlyList<RefCommand> commands, CancellationToken cancellationToken)
    {
        using var _ = await folder.LockAsync(repo.Id, cancellationToken);
        await AfterPushLockedAsync(repo, actor, commands, cancellationToken);
    }

    public async Task AfterPushLockedAsync(RepoRow repo, UserRow actor, IReadOnlyList<RefCommand> commands, CancellationToken cancellationToken)
    {
        var git = folder.Open(repo);
        foreach (var command in commands)
        {
            var now = await git.RefAsync(command.Name, cancellationToken);
            if ((now ?? GitNames.ZeroId) == command.New && command.Old != command.New)
            {
                await AnnounceAsync(repo, git, actor, command, cancellationToken);
            }
        }

        await pulls.ReconcileLockedAsync(repo, actor, cancellationToken);
    }

    private async Task AnnounceAsync(RepoRow repo, GitRepository git, UserRow actor, RefCommand command, CancellationToken cancellationToken)
    {
        IReadOnlyList<GitCommit> commits = [];
        var forced = false;
        if (!command.IsDelete && command.Name.StartsWith("refs/heads/", StringComparison.Ordinal))
        {
            string[] range = command.IsCreate ? [command.New, "--not", "refs/heads/" + repo.DefaultBranch] : [command.New, "^" + command.Old];
            commits = command.IsCreate && command.Name == "refs/heads/" + repo.DefaultBranch
                ? [await git.ReadCommitAsync(command.New, cancellationToken)]
                : await git.LogAsync(new LogQuery { Range = range, Limit = MaxCommits }, cancellationToken);
            forced = !command.IsCreate && !await git.IsAncestorAsync(command.Old, command.New, cancellationToken);
        }

        database.Write(db =>
        {
            db.Execute("UPDATE Repositories SET PushedAt = @now, UpdatedAt = @now WHERE Id = @Id", new { repo.Id, now = time.Now() });
            events.Emit(db, repo, "push", null, actor, (r, json) => Fill(r, json, repo, actor, command, commits, forced));
            if (command.Name == "refs/heads/" + repo.DefaultBranch)
            {
                foreach (var commit in commits)
                {
                    closing.Apply(db, repo, actor, commit.Message, commit.Sha);
                }
            }
        });
    }

    private static void Fill(
        Renderer renderer, JsonObject json, RepoRow repo, UserRow actor, RefCommand command, IReadOnlyList<GitCommit> commits, bool forced)
    {
        JsonObject Render(GitCommit commit) => new()
        {
            ["id"] = commit.Sha,
            ["tree_id"] = commit.Tree,
            ["distinct"] = true,
            ["message"] = commit.Message,
            ["timestamp"] = commit.Author.When,
            ["url"] = renderer.Urls.CommitWeb(repo.FullName, commit.Sha),
            ["author"] = new JsonObject { ["name"] = commit.Author.Name, ["email"] = commit.Author.Email },
            ["committer"] = new JsonObject { ["name"] = commit.Committer.Name, ["email"] = commit.Committer.Email },
            ["added"] = new JsonArray(),
            ["removed"] = new JsonArray(),
            ["modified"] = new JsonArray(),
        };
        json["ref"] = command.Name;
        json["before"] = command.Old;
        json["after"] = command.New;
        json["base_ref"] = null;
        json["created"] = command.IsCreate;
        json["deleted"] = command.IsDelete;
        json["forced"] = forced;
        json["compare"] = $"{renderer.Urls.RepoWeb(repo.FullName)}/compare/{command.Old[..12]}...{command.New[..12]}";
        json["commits"] = new JsonArray([.. commits.Reverse().Select(Render)]);
        json["head_commit"] = commits.Count > 0 ? Render(commits[0]) : null;
        json["pusher"] = new JsonObject { ["name"] = actor.Login, ["email"] = actor.CommitEmail };
    }
}
