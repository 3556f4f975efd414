using Gjoll.Hosts;

namespace Gjoll.Git;

/// <summary>
/// The user's own repository. Git runs here only, never in what a guest can write; hooks, the file system monitor, prompts and every transport but a file
/// are off, since what is fetched was made by a guest.
/// </summary>
internal sealed class HostRepository
{
    private static readonly Dictionary<string, string> Environment = new(StringComparer.Ordinal)
    {
        ["LC_ALL"] = "C",
        ["GIT_CONFIG_NOSYSTEM"] = "1",
        ["GIT_CONFIG_GLOBAL"] = "/dev/null",
        ["GIT_TERMINAL_PROMPT"] = "0",
        ["GIT_NO_LAZY_FETCH"] = "1",
        ["GIT_ASKPASS"] = "/bin/false",
        ["GIT_ALLOW_PROTOCOL"] = "file",
        ["GIT_OPTIONAL_LOCKS"] = "0",
    };

    private static readonly string[] Hardened =
    [
        "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never", "-c", "protocol.file.allow=always",
        "-c", "transfer.fsckObjects=true", "-c", "fetch.fsckObjects=true", "-c", "transfer.bundleURI=false", "-c", "submodule.recurse=false", "-c", "fetch.recurseSubmodules=false",
        "-c", "safe.bareRepository=explicit", "-c", "fetch.unpackLimit=1", "-c", "gc.auto=0", "-c", "maintenance.auto=false",
        "-c", "merge.verifySignatures=false", "-c", "commit.gpgSign=false",
    ];

    private readonly string[] _place;

    private HostRepository(string gitFolder, string? workTree)
    {
        WorkTree = workTree;
        _place = workTree is null ? [$"--git-dir={gitFolder}"] : ["-C", workTree, $"--git-dir={gitFolder}", $"--work-tree={workTree}"];
    }

    /// <summary>Null in a bare repository.</summary>
    public string? WorkTree { get; }

    /// <exception cref="GjollException">There is none.</exception>
    public static async Task<HostRepository> OpenAsync(string folder, CancellationToken cancellationToken)
    {
        var (code, output, error) = await RunAsync(["git", "-C", folder, "rev-parse", "--absolute-git-dir", "--is-bare-repository", "--is-inside-work-tree"], cancellationToken);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (code != 0 || lines.Length != 3)
        {
            throw new GjollException($"{folder} is in no Git repository: {error.Trim()}");
        }

        if (lines[2] != "true")
        {
            return new HostRepository(lines[0], null);
        }

        var (_, top, _) = await RunAsync(["git", "-C", folder, "rev-parse", "--show-toplevel"], cancellationToken);
        return new HostRepository(lines[0], top.TrimEnd('\n'));
    }

    /// <summary>Null when Git ends with a code that is not zero.</summary>
    public async Task<string?> TryAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var (code, output, _) = await RunAsync(["git", .. _place, .. Hardened, .. arguments], cancellationToken);
        return code == 0 ? output.TrimEnd('\n') : null;
    }

    /// <exception cref="GjollException">Git failed.</exception>
    public async Task<string> GitAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var (code, output, error) = await RunAsync(["git", .. _place, .. Hardened, .. arguments], cancellationToken);
        return code == 0 ? output.TrimEnd('\n') : throw new GjollException($"git {arguments[0]} failed: {Printable.Of(error.Trim())}");
    }

    public async Task<string?> CommitOfAsync(string reference, CancellationToken cancellationToken) =>
        await TryAsync(["rev-parse", "--verify", "--quiet", "--end-of-options", reference + "^{commit}"], cancellationToken);

    /// <summary>
    /// Takes the objects of a bundle in only when each of them is sound. Before 2.46 Git fetches from a bundle without that, whatever its configuration
    /// says of checking what is fetched.
    /// </summary>
    /// <exception cref="GjollException">One is not, or it is no bundle.</exception>
    public async Task TakeObjectsAsync(string bundle, CancellationToken cancellationToken)
    {
        await using var file = File.OpenRead(bundle);
        file.Position = await PackStartAsync(file, cancellationToken);
        var (code, _, error) = await RunAsync(["git", .. _place, .. Hardened, "index-pack", "--strict", "--fix-thin", "--stdin"], cancellationToken, file);
        if (code != 0)
        {
            throw new GjollException($"The guest's commits are refused: {Printable.Of(error.Trim())}");
        }
    }

    // Lines of text, an empty one, and then the pack.
    private static async Task<long> PackStartAsync(FileStream bundle, CancellationToken cancellationToken)
    {
        var head = new byte[64 * 1024];
        var read = await bundle.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken);
        var end = head.AsSpan(0, read).IndexOf("\n\n"u8);
        return end < 0 ? throw new GjollException("The guest sent no bundle.") : end + 2;
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(IReadOnlyList<string> command, CancellationToken cancellationToken, Stream? input = null)
    {
        var process = HostProcess.Start(command, Environment);
        var output = new TailBuffer(1024 * 1024);
        var error = new TailBuffer(4 * 1024);
        try
        {
            await Task.WhenAll(
                FeedAsync(process.StandardInput.BaseStream, input, cancellationToken),
                output.ReadAllAsync(process.StandardOutput.BaseStream, cancellationToken),
                error.ReadAllAsync(process.StandardError.BaseStream, cancellationToken));
            await process.WaitForExitAsync(cancellationToken);
            return (process.ExitCode, output.ToString(), error.ToString());
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
        finally
        {
            HostProcess.Release(process);
        }
    }

    private static async Task FeedAsync(Stream program, Stream? input, CancellationToken cancellationToken)
    {
        try
        {
            await using (program)
            {
                if (input is not null)
                {
                    await input.CopyToAsync(program, cancellationToken);
                }
            }
        }
        catch (IOException)
        {
            // It wants no more; its exit says why.
        }
    }
}
