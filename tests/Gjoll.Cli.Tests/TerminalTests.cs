using System.Diagnostics;
using System.Globalization;

namespace Gjoll.Cli.Tests;

/// <summary>The command on a terminal, as a person has it: <c>script</c> gives it one, and what is typed is written to that.</summary>
public sealed class TerminalTests : IAsyncLifetime
{
    private readonly Commands _gjoll = new();

    public async ValueTask InitializeAsync() => await _gjoll.UpAsync("tty");

    public ValueTask DisposeAsync() => _gjoll.DisposeAsync();

    /// <summary>Each key goes to the guest once, the keyboard's interruption too; a size that changes is told; the exit code comes back.</summary>
    [Fact]
    public async Task Shell_IsOnTheTerminalOfWhoeverCalls()
    {
        using var process = OnTerminal("stty rows 40 cols 100; exec dotnet \"$GJOLL_PROGRAM\" ssh tty");
        try
        {
            var seen = new Screen(process.StandardOutput);
            await seen.WaitAsync("$ ");
            await TypeAsync(process, "PS1='ready> '; stty size; tty\r");
            await seen.WaitAsync("40 100");
            await seen.WaitAsync("/dev/pts/");
            Assert.Single(Occurrences(seen.Text, "stty size; tty\r"));

            await TypeAsync(process, "trap 'echo inter''rupted' INT; sleep 600\r");
            await seen.WaitAsync("sleep 600");
            await Task.WhenAny(seen.WaitAsync("interrupted"), TypeUntilAsync(process, "\u0003", () => seen.Text.Contains("interrupted", StringComparison.Ordinal)));
            await seen.WaitAsync("interrupted");

            await TypeAsync(process, "exit 5\r");
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(5, process.ExitCode);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    private Process OnTerminal(string script)
    {
        var info = new ProcessStartInfo("script", ["-q", "-e", "-f", "-c", script, "/dev/null"])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _gjoll.Folder,
        };
        info.Environment["GJOLL_HOME"] = _gjoll.Home;
        info.Environment["GJOLL_PROGRAM"] = Commands.Program;
        info.Environment["TERM"] = "dumb";
        return Process.Start(info)!;
    }

    private static async Task TypeAsync(Process process, string keys)
    {
        await process.StandardInput.WriteAsync(keys);
        await process.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
    }

    // Whether the program that is to be interrupted runs already cannot be seen from here; the key is pressed again until it worked.
    private static async Task TypeUntilAsync(Process process, string key, Func<bool> done)
    {
        for (var times = 0; times < 300 && !done(); times++)
        {
            await TypeAsync(process, key);
            await Task.Delay(200, TestContext.Current.CancellationToken);
        }
    }

    private static IEnumerable<int> Occurrences(string text, string word)
    {
        for (var at = text.IndexOf(word, StringComparison.Ordinal); at >= 0; at = text.IndexOf(word, at + 1, StringComparison.Ordinal))
        {
            yield return at;
        }
    }

    private sealed class Screen
    {
        private readonly System.Text.StringBuilder _text = new();

        public Screen(StreamReader reader) => _ = ReadAsync(reader);

        public string Text
        {
            get
            {
                lock (_text)
                {
                    return _text.ToString();
                }
            }
        }

        public async Task WaitAsync(string word)
        {
            using var bounded = new CancellationTokenSource(TimeSpan.FromMinutes(2));
            while (!Text.Contains(word, StringComparison.Ordinal))
            {
                Assert.False(bounded.IsCancellationRequested, string.Create(CultureInfo.InvariantCulture, $"'{word}' never came; there was:\n{Text}"));
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }
        }

        private async Task ReadAsync(StreamReader reader)
        {
            var buffer = new char[4096];
            int count;
            while ((count = await reader.ReadAsync(buffer)) > 0)
            {
                lock (_text)
                {
                    _text.Append(buffer, 0, count);
                }
            }
        }
    }
}
