using System.Diagnostics;
using System.Text.Json;

namespace Gjoll.Cli.Tests;

/// <summary>The real command as a process, over a home folder of its own that is emptied by the command itself at the end.</summary>
public sealed class Commands : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>Short, since paths of unix sockets are.</summary>
    public string Home { get; } = Directory.CreateTempSubdirectory("gj").FullName;

    /// <summary>Where commands run: a folder that nothing else uses.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("gjw").FullName;

    public Dictionary<string, string> Variables { get; } = new(StringComparer.Ordinal);

    public static string Program => typeof(Verbs.Root).Assembly.Location;

    public Task<Said> RunAsync(params string[] arguments) => RunAsync(arguments, null);

    public async Task<Said> RunAsync(string[] arguments, byte[]? input)
    {
        using var process = Start(arguments);
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        bounded.CancelAfter(Patience);
        var output = ReadAsync(process.StandardOutput.BaseStream, bounded.Token);
        var error = process.StandardError.ReadToEndAsync(bounded.Token);
        try
        {
            try
            {
                await process.StandardInput.BaseStream.WriteAsync(input ?? [], bounded.Token);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // It wants no input.
            }

            await process.WaitForExitAsync(bounded.Token);
            return new Said(process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    /// <summary>Runs it and demands success.</summary>
    public async Task<Said> DoAsync(params string[] arguments)
    {
        var said = await RunAsync(arguments);
        Assert.True(said.Code == 0, $"gjoll {string.Join(' ', arguments)}: {said.Code}\n{said.Text}\n{said.Talk}");
        return said;
    }

    public Process Start(params string[] arguments)
    {
        // Whoever runs the tests in the background has them ignore the keyboard's signals, and what they start with them.
        var info = new ProcessStartInfo("/usr/bin/env", ["--default-signal=INT,QUIT", "dotnet", Program, .. arguments])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Folder,
        };
        info.Environment["GJOLL_HOME"] = Home;
        foreach (var (name, value) in Variables)
        {
            info.Environment[name] = value;
        }

        return Process.Start(info)!;
    }

    /// <summary>An environment for the fast provider, with more lines.</summary>
    public string Environment(string name, string more = "")
    {
        var file = Path.Combine(Folder, name + ".yaml");
        File.WriteAllText(file, $"format: 1\nprovider: bubblewrap\nmemory: 512MiB\ndisk: 256MiB\nprocesses: 200\n{more}");
        return file;
    }

    public Task<Said> UpAsync(string name, string more = "") => DoAsync("up", Environment(name, more), "-n", name);

    public async ValueTask DisposeAsync()
    {
        var said = await RunAsync("down", "--all");
        await HostCommand.RunAsync(Folder, "rm", "-rf", Home, Folder);
        Assert.True(said.Code == 0, said.Talk);
    }

    private static async Task<byte[]> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        var all = new MemoryStream();
        await stream.CopyToAsync(all, cancellationToken);
        return all.ToArray();
    }
}

/// <param name="Bytes">Standard output.</param>
/// <param name="Talk">Standard error.</param>
public sealed record Said(int Code, byte[] Bytes, string Talk)
{
    public string Text => System.Text.Encoding.UTF8.GetString(Bytes);

    public JsonElement Json => JsonDocument.Parse(Bytes).RootElement;
}
