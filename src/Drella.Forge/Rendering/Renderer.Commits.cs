using System.Text.Json.Nodes;
using Dapper;
using Drella.Forge.Git;
using Drella.Forge.Storage;

namespace Drella.Forge.Rendering;

internal sealed partial class Renderer
{
    /// <summary>A commit as the repository API shows it, with the user behind its address where we know one.</summary>
    public JsonObject Commit(RepoRow repo, GitCommit commit) => new()
    {
        ["sha"] = commit.Sha,
        ["node_id"] = commit.Sha,
        ["url"] = urls.CommitApi(repo.FullName, commit.Sha),
        ["html_url"] = urls.CommitWeb(repo.FullName, commit.Sha),
        ["comments_url"] = urls.CommitApi(repo.FullName, commit.Sha) + "/comments",
        ["commit"] = new JsonObject
        {
            ["url"] = urls.GitApi(repo.FullName, "commits", commit.Sha),
            ["author"] = Signature(commit.Author),
            ["committer"] = Signature(commit.Committer),
            ["message"] = commit.Message,
            ["comment_count"] = 0,
            ["tree"] = new JsonObject { ["sha"] = commit.Tree, ["url"] = urls.GitApi(repo.FullName, "trees", commit.Tree) },
            ["verification"] = Unsigned(),
        },
        ["author"] = UserByEmail(commit.Author.Email),
        ["committer"] = UserByEmail(commit.Committer.Email),
        ["parents"] = Parents(repo, commit),
    };

    /// <summary>A commit as the Git database API shows it.</summary>
    public JsonObject GitCommit(RepoRow repo, GitCommit commit)
    {
        var parents = Parents(repo, commit);
        foreach (var parent in parents)
        {
            parent!["url"] = urls.GitApi(repo.FullName, "commits", (string)parent["sha"]!);
        }

        return new JsonObject
        {
            ["sha"] = commit.Sha,
            ["node_id"] = commit.Sha,
            ["url"] = urls.GitApi(repo.FullName, "commits", commit.Sha),
            ["html_url"] = urls.CommitWeb(repo.FullName, commit.Sha),
            ["author"] = Signature(commit.Author),
            ["committer"] = Signature(commit.Committer),
            ["message"] = commit.Message,
            ["tree"] = new JsonObject { ["sha"] = commit.Tree, ["url"] = urls.GitApi(repo.FullName, "trees", commit.Tree) },
            ["parents"] = parents,
            ["verification"] = Unsigned(),
        };
    }

    public JsonObject GitRef(RepoRow repo, string name, string sha, string type = "commit") => new()
    {
        ["ref"] = name,
        ["node_id"] = NodeIds.Of("Repository", repo.Id) + ":" + name,
        ["url"] = $"{urls.RepoApi(repo.FullName)}/git/{Urls.EscapePath(name)}",
        ["object"] = new JsonObject { ["type"] = type, ["sha"] = sha, ["url"] = urls.GitApi(repo.FullName, type + "s", sha) },
    };

    public JsonObject DiffEntry(RepoRow repo, DiffFile file, string head)
    {
        var json = new JsonObject
        {
            ["sha"] = file.Sha,
            ["filename"] = file.Path,
            ["status"] = file.Status,
            ["additions"] = file.Additions,
            ["deletions"] = file.Deletions,
            ["changes"] = file.Additions + file.Deletions,
            ["blob_url"] = urls.BlobWeb(repo.FullName, head, file.Path),
            ["raw_url"] = urls.RawWeb(repo.FullName, head, file.Path),
            ["contents_url"] = urls.ContentsApi(repo.FullName, file.Path, head),
        };
        if (file.Patch is not null)
        {
            json["patch"] = file.Patch;
        }

        if (file.PreviousPath is not null)
        {
            json["previous_filename"] = file.PreviousPath;
        }

        return json;
    }

    private JsonArray Parents(RepoRow repo, GitCommit commit) =>
    [
        .. commit.Parents.Select(p => new JsonObject
        {
            ["sha"] = p, ["url"] = urls.CommitApi(repo.FullName, p), ["html_url"] = urls.CommitWeb(repo.FullName, p),
        }),
    ];

    private JsonObject? UserByEmail(string email)
    {
        var user = db.QueryFirstOrDefault<UserRow>("SELECT * FROM Users WHERE Email = @email", new { email });
        if (user is null && email.EndsWith("@users.noreply.localhost", StringComparison.Ordinal)
            && long.TryParse(email.Split('+')[0], out var id))
        {
            user = db.QueryFirstOrDefault<UserRow>("SELECT * FROM Users WHERE Id = @id", new { id });
        }

        return user is null ? null : User(user);
    }

    private static JsonObject Signature(GitSignature signature) =>
        new() { ["name"] = signature.Name, ["email"] = signature.Email, ["date"] = signature.When };

    private static JsonObject Unsigned() =>
        new() { ["verified"] = false, ["reason"] = "unsigned", ["signature"] = null, ["payload"] = null, ["verified_at"] = null };
}
