using Dapper;
using Microsoft.Data.Sqlite;

namespace Drella.Forge.Storage;

internal static class AccountQueries
{
    private const string RepoColumns = "SELECT r.*, u.Login AS Owner FROM Repositories r JOIN Users u ON u.Id = r.OwnerId ";

    public static UserRow? FindUser(this SqliteConnection db, string login) =>
        db.QuerySingleOrDefault<UserRow>("SELECT * FROM Users WHERE Login = @login", new { login });

    public static UserRow User(this SqliteConnection db, long id) => db.QuerySingle<UserRow>("SELECT * FROM Users WHERE Id = @id", new { id });

    public static UserRow? UserByTokenHash(this SqliteConnection db, byte[] hash) =>
        db.QuerySingleOrDefault<UserRow>("SELECT u.* FROM Users u JOIN Tokens t ON t.UserId = u.Id WHERE t.Hash = @hash", new { hash });

    public static RepoRow? FindRepo(this SqliteConnection db, string owner, string name) =>
        db.QuerySingleOrDefault<RepoRow>(RepoColumns + "WHERE u.Login = @owner AND r.Name = @name", new { owner, name });

    public static RepoRow Repo(this SqliteConnection db, long id) => db.QuerySingle<RepoRow>(RepoColumns + "WHERE r.Id = @id", new { id });

    public static IReadOnlyList<RepoRow> AllRepos(this SqliteConnection db) => db.Query<RepoRow>(RepoColumns + "ORDER BY r.Id").AsList();

    public static ProtectionRow? Protection(this SqliteConnection db, long repoId, string branch) => db.QuerySingleOrDefault<ProtectionRow>(
        "SELECT Branch, PushRole, AllowForce, AllowDelete, RequiredApprovals FROM Protections WHERE RepoId = @repoId AND Branch = @branch",
        new { repoId, branch });

    /// <summary>What the user may do there: the owner and site administrators everything, strangers read what is public.</summary>
    public static ForgeRole RoleOf(this SqliteConnection db, RepoRow repo, UserRow? user)
    {
        if (user is not null && (user.IsAdmin || user.Id == repo.OwnerId))
        {
            return ForgeRole.Admin;
        }

        var granted = user is null
            ? ForgeRole.None
            : (ForgeRole)db.ExecuteScalar<int>("SELECT Role FROM Grants WHERE RepoId = @repo AND UserId = @user", new { repo = repo.Id, user = user.Id });
        return granted == ForgeRole.None && !repo.IsPrivate ? ForgeRole.Read : granted;
    }
}
