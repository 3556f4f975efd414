using System.CommandLine;
using System.Globalization;
using Gjoll.Cli.Terminal;
using Gjoll.Cli.Work;
using Gjoll.Git;

namespace Gjoll.Cli.Verbs;

/// <summary><c>push</c> and <c>pull</c>: commits of the repository in the current folder to and from a guest.</summary>
internal static class GitVerbs
{
    private const string GuestFolder = "/work/project";
    private const int DefaultMegabytes = 1024;

    public static IEnumerable<Command> All(Shell shell) => [Push(shell), Pull(shell)];

    private static Command Push(Shell shell)
    {
        var name = Shell.Name();
        var branch = new Argument<string?>("branch") { Description = "A local branch (default: the one that is checked out)", Arity = ArgumentArity.ZeroOrOne };
        var (folder, path, force) = Options("Move the guest's branch even when it has commits that are not here");
        return shell.Verb("push", "Bring a branch of this repository to the guest and check it out there", async call =>
        {
            var exchange = await ExchangeAsync(call, name, folder);
            return Show(call, await new Progress(call.Speaker, call.House.Time).DoAsync(
                $"pushing to {call.Name(name)}", () => exchange.PushAsync(call.Value(branch), GuestPath.Of(call.Value(path)!), call.Value(force), call.Cancellation)));
        }, name, branch, folder, path, force);
    }

    private static Command Pull(Shell shell)
    {
        var name = Shell.Name();
        var refspec = new Argument<string?>("refspec") { Description = "REMOTE[:LOCAL] (default: the guest's branch, and no local one)", Arity = ArgumentArity.ZeroOrOne };
        var (folder, path, force) = Options("Move the local branch even when it has commits that the guest has not");
        var size = new Option<int>("--max-mib") { Description = "Refuse more than so many MiB", DefaultValueFactory = _ => DefaultMegabytes };
        return shell.Verb("pull", "Fetch a branch of the guest into gjoll/NAME/BRANCH, and move a local branch there when one is named", async call =>
        {
            if (call.Value(size) is < 1 or > 1 << 20)
            {
                throw new VerbFailure(ExitCode.Usage, "gjoll pull: --max-mib is a number from 1 to 1048576.");
            }

            var parts = (call.Value(refspec) ?? "").Split(':');
            if (parts.Length > 2)
            {
                throw new VerbFailure(ExitCode.Usage, "gjoll pull: a refspec is REMOTE or REMOTE:LOCAL.");
            }

            var exchange = await ExchangeAsync(call, name, folder);
            return Show(call, await new Progress(call.Speaker, call.House.Time).DoAsync($"pulling from {call.Name(name)}", () => exchange.PullAsync(
                parts[0].Length == 0 ? null : parts[0], parts.Length == 2 && parts[1].Length > 0 ? parts[1] : null, GuestPath.Of(call.Value(path)!), call.Value(force),
                (long)call.Value(size) << 20, call.Cancellation)));
        }, name, refspec, folder, path, force, size);
    }

    private static async Task<GitExchange> ExchangeAsync(Call call, Argument<string> name, Option<string?> folder) => new(
        await call.House.FindRunningAsync(call.Name(name), call.Cancellation),
        Path.GetFullPath(call.Value(folder) ?? Surroundings.CurrentFolder()),
        call.House.Scratch);

    private static ExitCode Show(Call call, ExchangeOutcome outcome)
    {
        switch (outcome)
        {
            case ExchangeOutcome.Done done:
                call.Speaker.Data(
                    new { branch = done.Branch, commit = done.Commit, reference = done.Reference, local = done.Local, changed = done.Changed },
                    writer => writer.WriteLine(string.Create(
                        CultureInfo.InvariantCulture, $"{done.Commit[..12]}  {done.Reference}{(done.Local is { } local ? $" -> {local}" : "")}{(done.Changed ? "" : "  (nothing new)")}")));
                return ExitCode.Ok;
            case ExchangeOutcome.Refused refused:
                throw new VerbFailure(ExitCode.Refused, refused.Reason);
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private static (Option<string?> Folder, Option<string> Path, Option<bool> Force) Options(string force) => (
        new Option<string?>("--repository", "-C") { Description = "A folder in the local repository (default: here)" },
        new Option<string>("--path") { Description = "The guest's repository", DefaultValueFactory = _ => GuestFolder },
        new Option<bool>("--force", "-f") { Description = force });
}
