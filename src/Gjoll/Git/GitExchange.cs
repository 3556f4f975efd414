using System.Text.RegularExpressions;
using Gjoll.Channel;
using Gjoll.Hosts;

namespace Gjoll.Git;

/// <summary>
/// Carries commits between a repository of the user and one in a guest. They travel as bundles: to the guest made by the host's Git, from the guest made by
/// the guest's, streamed into a file and fetched from that. The host's Git never sees the guest's repository.
/// </summary>
/// <param name="sandbox">Runs.</param>
/// <param name="repository">A folder in the user's repository.</param>
/// <param name="scratch">A folder for bundles that only the user can enter.</param>
public sealed partial class GitExchange(ISandbox sandbox, string repository, string scratch)
{
    private const int Dirty = 20;
    private const int Diverged = 21;
    private const int OtherBranchMissing = 22;

    private static readonly TimeSpan GuestPatience = TimeSpan.FromMinutes(10);

    // Arguments: path, bundle or nothing, branch, commit, force.
    private const string Take = """
        set -eu
        command -v git >/dev/null || { echo 'the guest has no git' >&2; exit 127; }
        mkdir -p -- "$1"
        cd -- "$1"
        [ -e .git ] || git init -q .
        [ -z "$2" ] || git fetch -q --no-tags "$2" "+refs/heads/$3:refs/remotes/host/$3"
        git update-ref "refs/remotes/host/$3" "$4"
        if git rev-parse -q --verify HEAD >/dev/null; then
          [ -z "$(git status --porcelain --untracked-files=no)" ] || exit 20
        fi
        old=$(git rev-parse -q --verify "refs/heads/$3" || true)
        if [ -n "$old" ] && [ -z "$5" ] && ! git merge-base --is-ancestor "$old" "$4"; then exit 21; fi
        if [ "$(git symbolic-ref -q HEAD || true)" = "refs/heads/$3" ] && [ -n "$old" ]; then
          git reset -q --keep "$4"
        else
          git checkout -q -B "$3" "$4"
        fi
        """;

    // Arguments: path, branch or nothing. Says the branch and its commit.
    private const string Ask = """
        set -eu
        cd -- "$1"
        ref=$(if [ -n "$2" ]; then printf 'refs/heads/%s' "$2"; else git symbolic-ref -q HEAD; fi)
        commit=$(git rev-parse -q --verify "$ref^{commit}") || exit 22
        printf '%s\n%s\n' "$ref" "$commit"
        """;

    // Arguments: path, reference, a commit that the host has or nothing.
    private const string Give = """
        set -eu
        cd -- "$1"
        if [ -n "$3" ] && git cat-file -e "$3^{commit}" 2>/dev/null; then exec git bundle create -q - "$2" "^$3"; fi
        exec git bundle create -q - "$2"
        """;

    /// <summary>Brings a branch to the guest and checks it out there. Work in the guest that is not committed, or is on that branch and nowhere else, stays: then it is refused.</summary>
    /// <param name="branch">Null is the branch that is checked out.</param>
    /// <param name="guestFolder">The guest's repository, made when it is not there.</param>
    /// <param name="force">Moves the guest's branch even when commits of its own fall off it.</param>
    /// <param name="cancellationToken">Gives up; the guest's branch is then where it was.</param>
    public async Task<ExchangeOutcome> PushAsync(string? branch, string guestFolder, bool force, CancellationToken cancellationToken)
    {
        var host = await HostRepository.OpenAsync(repository, cancellationToken);
        branch ??= await host.TryAsync(["symbolic-ref", "--short", "--quiet", "HEAD"], cancellationToken);
        if (branch is null)
        {
            return new ExchangeOutcome.Refused("No branch is checked out here: name the one to push.");
        }

        if (!IsBranch(branch) || await host.CommitOfAsync($"refs/heads/{branch}", cancellationToken) is not { } commit)
        {
            return new ExchangeOutcome.Refused($"There is no branch '{Printable.Of(branch)}' with a commit here.");
        }

        var note = Note(branch);
        var known = await host.CommitOfAsync(note, cancellationToken);
        var guestBundle = "";
        if (!await GuestHasAsync(guestFolder, commit, cancellationToken))
        {
            var basis = known is not null && await GuestHasAsync(guestFolder, known, cancellationToken) ? known : null;
            guestBundle = $"/tmp/gjoll-{Path.GetRandomFileName()}.bundle";
            await SendAsync(host, branch, basis, guestBundle, cancellationToken);
        }

        var result = await InGuestAsync(Take, [guestFolder, guestBundle, branch, commit, force ? "yes" : ""], cancellationToken);
        if (guestBundle.Length > 0)
        {
            await sandbox.RunAsync(new ExecSpec { Command = ["rm", "-f", "--", guestBundle], WorkingFolder = "/" }, cancellationToken);
        }

        switch (result.Exit.Code)
        {
            case 0:
                await host.GitAsync(["update-ref", "-m", "gjoll push", note, commit], cancellationToken);
                return new ExchangeOutcome.Done(branch, commit, Short(branch), null, known != commit);
            case Dirty:
                return new ExchangeOutcome.Refused($"The guest has work in {guestFolder} that is not committed: commit it there, or take it away.");
            case Diverged:
                return new ExchangeOutcome.Refused($"The guest's branch {branch} has commits that are not here: pull them first, or push with --force and lose them.");
            default:
                throw Failure("take the commits", result);
        }
    }

    /// <summary>
    /// Fetches a branch of the guest into <c>gjoll/NAME/BRANCH</c>, and moves a local branch there when one is named: forward only, unless forced, and
    /// never over changes that are not committed.
    /// </summary>
    /// <param name="branch">Null is the branch that is checked out in the guest.</param>
    /// <param name="local">Null moves none.</param>
    /// <param name="guestFolder">The guest's repository.</param>
    /// <param name="force">Moves the local branch even when commits of its own fall off it.</param>
    /// <param name="maxBytes">A larger bundle fails.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<ExchangeOutcome> PullAsync(string? branch, string? local, string guestFolder, bool force, long maxBytes, CancellationToken cancellationToken)
    {
        var host = await HostRepository.OpenAsync(repository, cancellationToken);
        foreach (var name in new[] { branch, local }.OfType<string>().Where(name => !IsBranch(name)))
        {
            return new ExchangeOutcome.Refused($"'{Printable.Of(name)}' is no name of a branch.");
        }

        var said = await InGuestAsync(Ask, [guestFolder, branch ?? ""], cancellationToken);
        if (said.Exit.Code == OtherBranchMissing)
        {
            return new ExchangeOutcome.Refused($"The guest has no branch {branch ?? "checked out"} with a commit in {guestFolder}.");
        }

        if (!said.Exit.Succeeded)
        {
            throw Failure($"look at {guestFolder}", said);
        }

        // The guest's word: it decides only what is asked for next.
        var lines = said.OutputText.Split('\n');
        if (lines.Length < 2 || !lines[0].StartsWith("refs/heads/", StringComparison.Ordinal) || !IsBranch(lines[0]["refs/heads/".Length..]) || !Commit().IsMatch(lines[1]))
        {
            return new ExchangeOutcome.Refused($"The guest names a branch or commit that cannot be: {Printable.Of(said.OutputText)}");
        }

        branch = lines[0]["refs/heads/".Length..];
        var note = Note(branch);
        var known = await host.CommitOfAsync(note, cancellationToken);
        if (known != lines[1])
        {
            await FetchAsync(host, branch, known, guestFolder, maxBytes, cancellationToken);
        }

        var commit = await host.CommitOfAsync(note, cancellationToken) ?? throw new GjollException($"The guest's bundle held no branch {branch}.");
        if (local is null)
        {
            return new ExchangeOutcome.Done(branch, commit, Short(branch), null, known != commit);
        }

        return await MoveAsync(host, branch, local, commit, force, cancellationToken);
    }

    private async Task FetchAsync(HostRepository host, string branch, string? known, string guestFolder, long maxBytes, CancellationToken cancellationToken)
    {
        var bundle = Scratch();
        try
        {
            await using (var file = new FileStream(bundle, FileMode.CreateNew, FileAccess.Write))
            {
                await GuestFiles.CopyOutAsync(
                    sandbox, ["/bin/sh", "-c", Give, "gjoll", guestFolder, $"refs/heads/{branch}", known ?? ""], guestFolder, file, maxBytes, cancellationToken);
            }

            await host.TakeObjectsAsync(bundle, cancellationToken);
            await host.GitAsync(
                ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-maintenance", bundle, $"+refs/heads/{branch}:{Note(branch)}"],
                cancellationToken);
        }
        finally
        {
            File.Delete(bundle);
        }
    }

    private async Task<ExchangeOutcome> MoveAsync(HostRepository host, string branch, string local, string commit, bool force, CancellationToken cancellationToken)
    {
        var done = new ExchangeOutcome.Done(branch, commit, Short(branch), local, true);
        var old = await host.CommitOfAsync($"refs/heads/{local}", cancellationToken);
        if (old == commit)
        {
            return done with { Changed = false };
        }

        if (old is not null && !force && await host.TryAsync(["merge-base", "--is-ancestor", old, commit], cancellationToken) is null)
        {
            return new ExchangeOutcome.Refused($"The local branch {local} has commits that {Short(branch)} has not: merge them, or pull with --force and lose them.");
        }

        var isHere = await host.TryAsync(["symbolic-ref", "--quiet", "HEAD"], cancellationToken) == $"refs/heads/{local}";
        if (isHere && host.WorkTree is not null && old is not null)
        {
            if (await host.GitAsync(["status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all"], cancellationToken) != "")
            {
                return new ExchangeOutcome.Refused($"{local} is checked out here with changes that are not committed: commit or stash them, then pull again. What was fetched is at {Short(branch)}.");
            }

            // Keeps whatever is in the way, such as a file that Git does not know, by failing.
            return await host.TryAsync(["reset", "--quiet", "--keep", commit], cancellationToken) is null
                ? new ExchangeOutcome.Refused($"Files that are not committed are in the way of {Short(branch)}: move them, then pull again.")
                : done;
        }

        var trees = await host.GitAsync(["worktree", "list", "--porcelain"], cancellationToken);
        if (trees.Split('\n').Contains($"branch refs/heads/{local}") && !(isHere && old is null))
        {
            return new ExchangeOutcome.Refused($"{local} is checked out in another work tree: pull there.");
        }

        if (isHere && old is null && host.WorkTree is not null)
        {
            return new ExchangeOutcome.Refused($"{local} is checked out here and has no commit yet: name another branch, or run 'git merge {Short(branch)}'.");
        }

        await host.GitAsync(["update-ref", "-m", "gjoll pull", $"refs/heads/{local}", commit, old ?? ""], cancellationToken);
        return done;
    }

    private async Task SendAsync(HostRepository host, string branch, string? basis, string guestBundle, CancellationToken cancellationToken)
    {
        var bundle = Scratch();
        try
        {
            string[] excluded = basis is null ? [] : ["^" + basis];
            await host.GitAsync(["bundle", "create", "--quiet", bundle, $"refs/heads/{branch}", .. excluded], cancellationToken);
            await using var content = File.OpenRead(bundle);
            await sandbox.WriteFileAsync(guestBundle, content, GuestFileMode.Private, cancellationToken);
        }
        finally
        {
            File.Delete(bundle);
        }
    }

    private async Task<bool> GuestHasAsync(string guestFolder, string commit, CancellationToken cancellationToken) =>
        (await InGuestAsync("cd -- \"$1\" && exec git cat-file -e \"$2^{commit}\"", [guestFolder, commit], cancellationToken)).Exit.Succeeded;

    private Task<RunResult> InGuestAsync(string script, IReadOnlyList<string> arguments, CancellationToken cancellationToken) => sandbox.RunAsync(
        new ExecSpec { Command = ["/bin/sh", "-c", script, "gjoll", .. arguments], WorkingFolder = "/", Timeout = GuestPatience, OutputLimit = 1 << 20 }, cancellationToken);

    private string Scratch()
    {
        Directory.CreateDirectory(scratch, Modes.Owner);
        return Path.Combine(scratch, Path.GetRandomFileName() + ".bundle");
    }

    private string Note(string branch) => $"refs/remotes/{Short(branch)}";

    private string Short(string branch) => $"gjoll/{sandbox.Name}/{branch}";

    private static GjollException Failure(string attempt, RunResult result) =>
        new($"The guest could not {attempt}: code {result.Exit.Code}: {Printable.Of(result.ErrorText.Trim())}");

    private static bool IsBranch(string name) => Branch().IsMatch(name) && !name.Contains("..", StringComparison.Ordinal) && !name.Contains("//", StringComparison.Ordinal)
        && !name.EndsWith('/') && !name.EndsWith('.') && !name.Split('/').Any(part => part.StartsWith('.') || part.EndsWith(".lock", StringComparison.Ordinal));

    [GeneratedRegex(@"\A[\p{L}\p{N}_][\p{L}\p{N}._/+#@-]{0,199}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Branch();

    [GeneratedRegex(@"\A(?:[0-9a-f]{40}|[0-9a-f]{64})\z", RegexOptions.CultureInvariant)]
    private static partial Regex Commit();
}
