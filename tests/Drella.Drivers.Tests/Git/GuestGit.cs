using System.Diagnostics;
using System.Text;

namespace Drella.Drivers.Tests.Git;

/// <summary>Git as a guest would use it, in a folder of its own that goes with the test.</summary>
internal sealed class GuestGit : IDisposable
{
    public GuestGit(string? folder = null)
    {
        Folder = folder ?? Directory.CreateTempSubdirectory("drella-git-").FullName;
        Directory.CreateDirectory(Folder);
    }

    public string Folder { get; }

    public string At(params string[] parts) => Path.Combine([Folder, .. parts]);

    public string Run(params string[] arguments) => Encoding.UTF8.GetString(Run([], arguments)).TrimEnd('\n');

    public byte[] Run(byte[] input, string[] arguments)
    {
        var start = new ProcessStartInfo("git", arguments)
        {
            WorkingDirectory = Folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment.Clear();
        foreach (var (name, value) in new Dictionary<string, string>
        {
            ["PATH"] = "/usr/bin:/bin", ["HOME"] = Folder, ["GIT_CONFIG_NOSYSTEM"] = "1", ["LC_ALL"] = "C.UTF-8",
            ["GIT_AUTHOR_NAME"] = "Spoofed Maintainer", ["GIT_AUTHOR_EMAIL"] = "boss@corp.example", ["GIT_AUTHOR_DATE"] = "1700000000 +0100",
            ["GIT_COMMITTER_NAME"] = "Spoofed Maintainer", ["GIT_COMMITTER_EMAIL"] = "boss@corp.example", ["GIT_COMMITTER_DATE"] = "1700000001 +0100",
        })
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var feeding = Task.Run(() =>
        {
            process.StandardInput.BaseStream.Write(input);
            process.StandardInput.Close();
        });
        var output = new MemoryStream();
        process.StandardOutput.BaseStream.CopyTo(output);
        process.WaitForExit();
        feeding.Wait();
        return process.ExitCode == 0
            ? output.ToArray()
            : throw new InvalidOperationException($"git {string.Join(' ', arguments)}: {errors.Result}");
    }

    public void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
        File.WriteAllText(At(path), text);
    }

    public string Commit(string message)
    {
        Run("add", "-A");
        Run("commit", "-q", "--allow-empty", "--cleanup=verbatim", "-m", message);
        return Head();
    }

    public string Head() => Run("rev-parse", "HEAD");

    public string Blob(string text) => Encoding.ASCII.GetString(Run(Encoding.UTF8.GetBytes(text), ["hash-object", "-w", "--stdin"])).Trim();

    /// <summary>A tree of raw entries, which Git itself would refuse to add.</summary>
    public string Tree(params (string Mode, string Name, string Id)[] entries)
    {
        var bytes = new MemoryStream();
        foreach (var (mode, name, id) in entries)
        {
            bytes.Write(Encoding.UTF8.GetBytes($"{mode} {name}\0"));
            bytes.Write(Convert.FromHexString(id));
        }

        return Encoding.ASCII.GetString(Run(bytes.ToArray(), ["hash-object", "-t", "tree", "-w", "--literally", "--stdin"])).Trim();
    }

    /// <summary>Puts a commit with the tree on the branch and checks nothing out.</summary>
    public string CommitTree(string tree, string parent, string message = "Change")
    {
        var commit = Run("commit-tree", "-p", parent, "-m", message, tree);
        Run("update-ref", "refs/heads/work", commit);
        return commit;
    }

    public MemoryStream Bundle(params string[] revisions) => new(Run([], ["bundle", "create", "-q", "-", .. revisions]));

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
