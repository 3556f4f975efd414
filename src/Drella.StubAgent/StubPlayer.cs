using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Drella.StubAgent;

/// <summary>Plays a script on the standard streams.</summary>
internal sealed class StubPlayer(StubScript script)
{
    private readonly Stream _output = Console.OpenStandardOutput();
    private readonly StubInput _input = new();
    private readonly string _session = Environment.GetEnvironmentVariable("DRELLA_STUB_SESSION") ?? "00000000-0000-4000-8000-000000000001";
    private volatile bool _interrupted;

    private static Task Forever { get; } = new TaskCompletionSource().Task;

    public async Task<int> PlayAsync()
    {
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => signal.Cancel = script.IgnoreTerm);
        _input.Start(OnInputAsync);
        foreach (var step in script.Steps)
        {
            await Task.WhenAny(PlayAsync(step), _input.Interrupted).Unwrap();
            if (_interrupted)
            {
                await ResultAsync("aborted_streaming");
                break;
            }
        }

        await _output.FlushAsync();
        if (script.Signal is { } number)
        {
            _ = Kill(Environment.ProcessId, number);
            await Forever;
        }

        return script.ExitCode;
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int pid, int signal);

    private async Task OnInputAsync(string line)
    {
        using var document = JsonDocument.Parse(line);
        var root = document.RootElement;
        if (root.TryGetProperty("type", out var type) && type.GetString() == "control_request")
        {
            if (script.IgnoreInterrupt)
            {
                return;
            }

            await JsonAsync(new { type = "control_response", response = new { subtype = "success" } });
            _interrupted = true;
            _input.Interrupt();
            return;
        }

        await JsonAsync(new { type = "user", message = root.GetProperty("message"), session_id = _session, isReplay = true });
    }

    private async Task PlayAsync(StubStep step)
    {
        switch (step)
        {
            case { Init: true }:
                await JsonAsync(new
                {
                    type = "system",
                    subtype = "init",
                    session_id = _session,
                    model = "stub",
                    claude_code_version = "stub",
                    mcp_servers = Array.Empty<object>(),
                });
                break;
            case { AwaitInput: true }:
                await _input.NextAsync();
                break;
            case { AwaitEnd: true }:
                await _input.Ended;
                break;
            case { Say: { } text }:
                await JsonAsync(new
                {
                    type = "assistant",
                    message = new { id = "msg_stub", role = "assistant", model = "stub", content = new[] { new { type = "text", text } } },
                    parent_tool_use_id = (string?)null,
                    session_id = _session,
                });
                break;
            case { Result: { } reason }:
                await ResultAsync(reason);
                break;
            case { Line: { } line }:
                await WriteAsync(line + "\n");
                break;
            case { Part: { } part }:
                await WriteAsync(part);
                break;
            case { Bytes: { } bytes }:
                await _output.WriteAsync(Convert.FromBase64String(bytes));
                break;
            case { Recording: { } recording }:
                await PlayAsync(recording);
                break;
            case { BigLine: > 0 }:
                await BigLineAsync(step.BigLine);
                break;
            case { Flood: > 0 }:
                await FloodAsync(step.Flood);
                break;
            case { Run: [var program, .. var arguments] }:
                using (var child = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!)
                {
                    await child.WaitForExitAsync();
                }

                break;
            case { Leave: [var program, .. var arguments] }:
                // Shares our output, as a background tool of a real agent does, and is in a session of its own.
                Process.Start(new ProcessStartInfo("setsid", [program, .. arguments]))!.Dispose();
                break;
            case { Error: { } words }:
                await Console.Error.WriteLineAsync(words);
                break;
            case { Hang: true }:
                await Forever;
                break;
            default:
                throw new JsonException("A step does nothing.");
        }
    }

    private async Task PlayAsync(StubRecording recording)
    {
        var lines = await File.ReadAllLinesAsync(Path.Combine(script.Folder, recording.File), Encoding.Latin1);
        for (var i = 0; i < lines.Length; i++)
        {
            if (recording.HangAt == i + 1)
            {
                await Forever;
            }

            if (recording.WithoutResult && lines[i].Contains("\"type\":\"result\"", StringComparison.Ordinal))
            {
                continue;
            }

            var cut = recording.CutLast && i == lines.Length - 1;
            await _output.WriteAsync(Encoding.Latin1.GetBytes(cut ? lines[i][..(lines[i].Length / 2)] : lines[i] + "\n"));
            if (recording.GarbageEvery > 0 && (i + 1) % recording.GarbageEvery == 0)
            {
                await WriteAsync("this is no JSON {\n");
            }
        }
    }

    private async Task BigLineAsync(int megabytes)
    {
        var part = Encoding.ASCII.GetBytes(new string('x', 1 << 20));
        await WriteAsync("{\"type\":\"assistant\",\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"");
        for (var i = 0; i < megabytes; i++)
        {
            await _output.WriteAsync(part);
        }

        await WriteAsync("\"}]}}\n");
    }

    private async Task FloodAsync(int lines)
    {
        var line = Encoding.ASCII.GetBytes("{\"type\":\"system\",\"subtype\":\"flood\"}\n");
        var block = Enumerable.Repeat(line, 1000).SelectMany(bytes => bytes).ToArray();
        for (var left = lines; left > 0; left -= 1000)
        {
            await _output.WriteAsync(block.AsMemory(0, line.Length * Math.Min(left, 1000)));
        }
    }

    private Task ResultAsync(string reason) => JsonAsync(new
    {
        type = "result",
        subtype = reason == "completed" ? "success" : "error_during_execution",
        is_error = reason != "completed",
        terminal_reason = reason,
        result = reason,
        num_turns = 1,
        session_id = _session,
        queued_turn_count = 0,
    });

    private Task JsonAsync(object value) => WriteAsync(JsonSerializer.Serialize(value) + "\n");

    private async Task WriteAsync(string text)
    {
        await _output.WriteAsync(Encoding.UTF8.GetBytes(text));
        await _output.FlushAsync();
    }
}
