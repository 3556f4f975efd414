using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Drella.EndToEnd.Tests.Verbs;

/// <summary>The real program as a process of its own, with a deadline; ended by its id.</summary>
internal sealed class DrellaProgram : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(4);

    private readonly Process process;
    private readonly Task<string> talk;

    private DrellaProgram(Process process)
    {
        this.process = process;
        talk = process.StandardError.ReadToEndAsync(CancellationToken.None);
    }

    public int Id => process.Id;

    public StreamReader Output => process.StandardOutput;

    /// <summary>Starts it in a folder. A variable with the value null is taken away.</summary>
    public static DrellaProgram Start(string folder, IReadOnlyDictionary<string, string?>? environment, params IEnumerable<string> arguments)
    {
        // Whoever runs the tests in the background has them ignore the keyboard's signals, and what they start with them.
        var start = new ProcessStartInfo("/usr/bin/env", ["--default-signal=INT,QUIT", "dotnet"]) { WorkingDirectory = folder, RedirectStandardError = true, RedirectStandardOutput = true, RedirectStandardInput = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "drella.dll"));
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment.Remove("DRELLA_FAILPOINT");
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            start.Environment[name] = value;
            if (value is null)
            {
                start.Environment.Remove(name);
            }
        }

        return new DrellaProgram(Process.Start(start)!);
    }

    public static Task<ProgramResult> RunAsync(string folder, params IEnumerable<string> arguments) => RunAsync(folder, null, arguments);

    public static async Task<ProgramResult> RunAsync(string folder, IReadOnlyDictionary<string, string?>? environment, params IEnumerable<string> arguments)
    {
        await using var program = Start(folder, environment, arguments);
        return await program.EndAsync();
    }

    /// <summary>A PATH on which everything is found but one program.</summary>
    public static async Task<Dictionary<string, string?>> PathWithoutAsync(string folder, string program)
    {
        var bin = Directory.CreateDirectory(Path.Combine(folder, "bin")).FullName;
        foreach (var name in new[] { "git", "bwrap", "sh", "dotnet" }.Where(name => name != program))
        {
            using var which = Process.Start(new ProcessStartInfo("sh", ["-c", $"command -v {name}"]) { RedirectStandardOutput = true })!;
            File.CreateSymbolicLink(Path.Combine(bin, name), (await which.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).Trim());
            await which.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        return new Dictionary<string, string?> { ["PATH"] = bin };
    }

    /// <summary>The first document on standard output of a program that goes on.</summary>
    public async Task<JsonNode> DocumentAsync()
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Deadline);
        var text = "";
        while (text.Split('\n')[^1] is not "}")
        {
            var line = await process.StandardOutput.ReadLineAsync(deadline.Token) ?? throw new InvalidOperationException($"it ended without a document: {await talk}");
            text += (text.Length > 0 ? "\n" : "") + line;
        }

        return JsonNode.Parse(text)!;
    }

    /// <summary>Waits for its end.</summary>
    public async Task<ProgramResult> EndAsync()
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Deadline);
        var output = await process.StandardOutput.ReadToEndAsync(deadline.Token);
        await process.WaitForExitAsync(deadline.Token);
        return new ProgramResult(process.ExitCode, output, await talk);
    }

    /// <summary>Sends a signal, such as INT.</summary>
    public async Task SignalAsync(string signal)
    {
        // The shell's own: the program of that name is in a package that a small machine lacks.
        using var kill = Process.Start("sh", ["-c", string.Create(CultureInfo.InvariantCulture, $"kill -{signal} {process.Id}")]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
        }

        await talk;
        process.Dispose();
    }
}

/// <summary>What a run of the program came to.</summary>
internal sealed record ProgramResult(int Code, string Output, string Talk)
{
    /// <summary>The one document on standard output; fails when there is another, or anything beside it.</summary>
    public JsonNode Json => JsonNode.Parse(Output) ?? throw new InvalidOperationException($"null on standard output; talk: {Talk}");

    public IReadOnlyList<JsonNode> JsonLines => [.. Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];

    /// <summary>Fails with everything it said when it ended otherwise.</summary>
    public ProgramResult Expect(int code)
    {
        Assert.True(code == Code, $"ended with {Code} instead of {code}\n{Talk}\n{Output}");
        return this;
    }
}
