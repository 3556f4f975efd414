using Drella.Forge.Storage;
using Microsoft.Data.Sqlite;

namespace Drella.Forge.Git;

/// <summary>What a push may do, decided on the ref commands alone, before Git sees a byte of the pack.</summary>
internal static class PushPolicy
{
    /// <summary>Why the command is refused; null when it may go on.</summary>
    public static string? Refuse(SqliteConnection db, RepoRow repo, ForgeRole role, RefCommand command)
    {
        var isBranch = command.Name.StartsWith("refs/heads/", StringComparison.Ordinal);
        if (!isBranch && !command.Name.StartsWith("refs/tags/", StringComparison.Ordinal))
        {
            return "only branches and tags can be pushed";
        }

        var name = command.Name.Split('/', 3)[2];
        if (!GitNames.IsRefPart(name) || GitNames.IsObjectId(name))
        {
            return "the name is not allowed";
        }

        if (!isBranch)
        {
            return null;
        }

        if (command.IsDelete && name == repo.DefaultBranch)
        {
            return "the default branch cannot be deleted";
        }

        return db.Protection(repo.Id, name) switch
        {
            null => null,
            { } rule when command.IsDelete && !rule.AllowDelete => "protected branch: it cannot be deleted",
            { } rule when role < rule.PushRole => "protected branch: changes come through a pull request",
            _ => null,
        };
    }

    /// <summary>True when the push as a whole must be fast-forward: it touches a branch whose history may not be rewritten.</summary>
    public static bool MustFastForward(SqliteConnection db, RepoRow repo, IEnumerable<RefCommand> commands) =>
        commands.Any(c => c.Name.StartsWith("refs/heads/", StringComparison.Ordinal)
            && db.Protection(repo.Id, c.Name["refs/heads/".Length..]) is { AllowForce: false });
}
