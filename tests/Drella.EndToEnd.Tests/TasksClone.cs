using System.Diagnostics;

namespace Drella.EndToEnd.Tests;

/// <summary>A clone of a repository in which people do what the forge's editor would not let them: links, odd names, bytes that are no text.</summary>
internal sealed class TasksClone : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("drella-clone-").FullName;

    private TasksClone()
    {
    }

    public static async Task<TasksClone> OpenAsync(Uri forge, string repo, string user, string token, CancellationToken cancellationToken)
    {
        var clone = new TasksClone();
        var url = new UriBuilder(new Uri(forge, repo + ".git")) { UserName = user, Password = token };
        await clone.GitAsync(null, cancellationToken, "clone", "-q", url.Uri.ToString(), ".");
        return clone;
    }

    /// <summary>Puts files of any mode, name and content into one commit, and pushes it.</summary>
    public async Task PushAsync(CancellationToken cancellationToken, params IReadOnlyList<PushedFile> files)
    {
        await GitAsync(null, cancellationToken, "fetch", "-q");
        await GitAsync(null, cancellationToken, "reset", "-q", "origin/main");
        foreach (var file in files)
        {
            if (file.Content is not { } content)
            {
                await GitAsync(null, cancellationToken, "rm", "-q", "--cached", file.Path);
                continue;
            }

            // By index and object store only: the working tree could not hold some of these names.
            var blob = file.Mode == "160000" ? new string('1', 40) : (await GitAsync(content, cancellationToken, "hash-object", "-w", "--stdin")).Trim();
            await GitAsync([.. System.Text.Encoding.ASCII.GetBytes($"{file.Mode} {blob}\t"), .. file.PathBytes ?? System.Text.Encoding.UTF8.GetBytes(file.Path), 0], cancellationToken, "update-index", "-z", "--add", "--index-info");
        }

        await GitAsync(null, cancellationToken, "-c", "user.name=Ann", "-c", "user.email=ann@example.com", "commit", "-q", "-m", "Specs");
        await GitAsync(null, cancellationToken, "push", "-q", "origin", "HEAD:main");
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private async Task<string> GitAsync(byte[]? input, CancellationToken cancellationToken, params string[] arguments)
    {
        var start = new ProcessStartInfo("git", arguments) { WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["GIT_CONFIG_GLOBAL"] = "/dev/null";
        start.Environment["GIT_TERMINAL_PROMPT"] = "0";
        using var git = Process.Start(start)!;
        var output = git.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = git.StandardError.ReadToEndAsync(cancellationToken);
        if (input is not null)
        {
            await git.StandardInput.BaseStream.WriteAsync(input, cancellationToken);
        }

        git.StandardInput.Close();
        await git.WaitForExitAsync(cancellationToken);
        Assert.True(git.ExitCode == 0, $"git {string.Join(' ', arguments)}: {await errors}");
        return await output;
    }
}

/// <summary>A file to push; without content it is taken away.</summary>
internal sealed record PushedFile(string Path, byte[]? Content, string Mode = "100644")
{
    /// <summary>The path's bytes where they are no UTF-8.</summary>
    public byte[]? PathBytes { get; init; }

    public static PushedFile Spec(string name, string text) => new($"in-progress/{name}.md", System.Text.Encoding.UTF8.GetBytes(text));
}
