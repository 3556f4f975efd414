using System.Text;
using Dapper;
using Drella.Forge.Accounts;
using Drella.Forge.Git;
using Drella.Forge.Rendering;
using Drella.Forge.Storage;

namespace Drella.Forge;

/// <summary>Rules for one branch. Pushing directly needs <see cref="PushRole"/>; merging a pull request needs Write and the approvals.</summary>
public sealed record ForgeProtection
{
    public required string Branch { get; init; }
    public ForgeRole PushRole { get; init; } = ForgeRole.Admin;
    public bool AllowForce { get; init; }
    public bool AllowDelete { get; init; }
    public int RequiredApprovals { get; init; }
}

/// <summary>
/// Administration from inside the process. Every call can be repeated: it leaves the named thing in the asked state. Throws
/// <see cref="ArgumentException"/> for names the forge does not serve.
/// </summary>
public sealed class ForgeAdmin
{
    private readonly Database _database;
    private readonly RepositoryFolder _folder;
    private readonly TimeProvider _time;

    internal ForgeAdmin(Database database, RepositoryFolder folder, TimeProvider time)
    {
        (_database, _folder, _time) = (database, folder, time);
    }

    /// <summary>Makes the user, or updates the display name and address of the one that exists. The id is stable.</summary>
    public long EnsureUser(string login, string? name = null, string? email = null, bool isBot = false, bool isAdmin = false)
    {
        Check(GitNames.IsOwner(login), login);
        return _database.Write(db => db.ExecuteScalar<long>(
            """
            INSERT INTO Users (Login, Name, Email, Kind, IsAdmin, CreatedAt) VALUES (@login, @name, @email, @kind, @isAdmin, @now)
            ON CONFLICT (Login) DO UPDATE SET Name = coalesce(@name, Name), Email = coalesce(@email, Email), Kind = @kind, IsAdmin = @isAdmin
            RETURNING Id
            """,
            new { login, name, email, kind = isBot ? "Bot" : "User", isAdmin, now = _time.Now() }));
    }

    /// <summary>A new token for the user under a label; the previous one of that label stops working. It is shown once and stored hashed.</summary>
    public string IssueToken(string login, string label)
    {
        var token = Credentials.NewToken();
        EnsureToken(login, label, token);
        return token;
    }

    /// <summary>Makes a given secret the user's token under a label.</summary>
    public void EnsureToken(string login, string label, string token)
    {
        Check(token.Length is >= 16 and <= 512, "token");
        _database.Write(db => db.Execute(
            """
            INSERT INTO Tokens (UserId, Label, Hash, CreatedAt) VALUES (@user, @label, @hash, @now)
            ON CONFLICT (UserId, Label) DO UPDATE SET Hash = excluded.Hash, CreatedAt = excluded.CreatedAt
            """,
            new { user = UserId(db, login), label, hash = Credentials.Hash(token), now = _time.Now() }));
    }

    public void RevokeToken(string login, string label) => _database.Write(db =>
        db.Execute("DELETE FROM Tokens WHERE UserId = @user AND Label = @label", new { user = UserId(db, login), label }));

    /// <summary>
    /// Makes the repository. With files, and while the default branch is absent, they become its first commit; without, it stays empty.
    /// </summary>
    public async Task EnsureRepositoryAsync(
        string owner, string name, IReadOnlyDictionary<string, string>? initialFiles, bool isPrivate, CancellationToken cancellationToken, string defaultBranch = "main")
    {
        Check(GitNames.IsRepository(name), name);
        Check(GitNames.IsRefPart(defaultBranch), defaultBranch);
        var (repo, user) = _database.Write(db =>
        {
            var now = _time.Now();
            db.Execute(
                """
                INSERT INTO Repositories (OwnerId, Name, DefaultBranch, IsPrivate, CreatedAt, UpdatedAt, PushedAt)
                VALUES (@owner, @name, @defaultBranch, @isPrivate, @now, @now, @now) ON CONFLICT DO NOTHING
                """,
                new { owner = UserId(db, owner), name, defaultBranch, isPrivate, now });
            var row = db.FindRepo(owner, name)!;
            return (row, db.User(row.OwnerId));
        });
        var git = _folder.Open(repo);
        if (!_folder.Exists(repo.Id))
        {
            await git.InitialiseAsync(repo.DefaultBranch, cancellationToken);
        }

        var branch = "refs/heads/" + repo.DefaultBranch;
        if (initialFiles is not { Count: > 0 } || await git.RefAsync(branch, cancellationToken) is not null)
        {
            return;
        }

        var changes = new List<(string, string, string?)>();
        foreach (var (path, text) in initialFiles)
        {
            Check(GitNames.IsTreePath(path), path);
            changes.Add((path, "100644", await git.WriteBlobAsync(Encoding.UTF8.GetBytes(text), cancellationToken)));
        }

        var signature = new GitSignature(user.Name ?? user.Login, user.CommitEmail, Times.Iso(_time.Now()));
        var tree = await git.WriteTreeAsync(null, changes, cancellationToken);
        var commit = await git.WriteCommitAsync(tree, [], "Initial commit\n", signature, signature, cancellationToken);
        await git.MoveRefAsync(branch, commit, GitNames.ZeroId, cancellationToken);
    }

    public void Grant(string owner, string name, string login, ForgeRole role) => _database.Write(db => db.Execute(
        "INSERT INTO Grants (RepoId, UserId, Role) VALUES (@repo, @user, @role) ON CONFLICT (RepoId, UserId) DO UPDATE SET Role = excluded.Role",
        new { repo = RepoId(db, owner, name), user = UserId(db, login), role = (int)role }));

    public void Protect(string owner, string name, ForgeProtection protection) => _database.Write(db => db.Execute(
        """
        INSERT INTO Protections (RepoId, Branch, PushRole, AllowForce, AllowDelete, RequiredApprovals)
        VALUES (@repo, @Branch, @PushRole, @AllowForce, @AllowDelete, @RequiredApprovals)
        ON CONFLICT (RepoId, Branch) DO UPDATE SET PushRole = excluded.PushRole, AllowForce = excluded.AllowForce,
          AllowDelete = excluded.AllowDelete, RequiredApprovals = excluded.RequiredApprovals
        """,
        new
        {
            repo = RepoId(db, owner, name), protection.Branch, PushRole = (int)protection.PushRole, protection.AllowForce, protection.AllowDelete,
            protection.RequiredApprovals,
        }));

    /// <summary>One hook per address; its secret and events are brought to what is asked. Events may be <c>*</c>.</summary>
    public long EnsureWebhook(string owner, string name, string url, string? secret, IReadOnlyList<string> events)
    {
        Check(Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https", url);
        return _database.Write(db =>
        {
            var repo = RepoId(db, owner, name);
            var values = new { repo, url, secret, events = string.Join(',', events), now = _time.Now() };
            var id = db.ExecuteScalar<long?>(
                "UPDATE Hooks SET Secret = @secret, Events = @events, IsActive = 1, UpdatedAt = @now WHERE RepoId = @repo AND Url = @url RETURNING Id", values);
            return id ?? db.ExecuteScalar<long>(
                """
                INSERT INTO Hooks (RepoId, Url, Secret, Events, IsActive, CreatedAt, UpdatedAt) VALUES (@repo, @url, @secret, @events, 1, @now, @now)
                RETURNING Id
                """,
                values);
        });
    }

    private static long UserId(Microsoft.Data.Sqlite.SqliteConnection db, string login) =>
        db.FindUser(login)?.Id ?? throw new ArgumentException($"There is no user {login}.", nameof(login));

    private static long RepoId(Microsoft.Data.Sqlite.SqliteConnection db, string owner, string name) =>
        db.FindRepo(owner, name)?.Id ?? throw new ArgumentException($"There is no repository {owner}/{name}.", nameof(name));

    private static void Check(bool good, string value)
    {
        if (!good)
        {
            throw new ArgumentException($"The forge does not serve '{value}'.", nameof(value));
        }
    }
}
