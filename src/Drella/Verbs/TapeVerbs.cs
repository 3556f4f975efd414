using System.CommandLine;
using Drella.Core.Jobs;
using Drella.Gateway.Models;
using Drella.Gateway.Tapes;
using Drella.Terminal;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Verbs;

/// <summary><c>tape record</c> and <c>tape replay</c>: a model endpoint on loopback for an agent that runs outside of the factory.</summary>
internal static class TapeVerbs
{
    public static IEnumerable<Command> All(Shell shell)
    {
        var output = new Option<FileInfo>("--out") { Description = "File to record into (JSON lines)", Required = true };
        var port = new Option<int>("--port") { Description = "Port on 127.0.0.1; 0 takes a free one" };
        var role = new Option<string>("--role") { Description = "Role that the script is chosen by", DefaultValueFactory = _ => "producer" };
        var file = new Argument<FileInfo>("tape") { Description = "A scripted tape (.yaml) or a recorded one (.jsonl)" };
        var workspace = new Option<string>("--workspace") { Description = "What ${ws} stands for", DefaultValueFactory = _ => Directory.GetCurrentDirectory() };
        yield return Shell.Group(
            "tape",
            "Recorded and scripted model traffic",
            shell.Verb("record", "Serve the real model on loopback and write down its traffic", call => RecordAsync(call, output, port, role), output, port, role),
            shell.Verb("replay", "Serve a tape on loopback", call => ReplayAsync(call, file, port, role, workspace), file, port, role, workspace));
    }

    private static async Task<ExitCode> RecordAsync(Call call, Option<FileInfo> output, Option<int> port, Option<string> role)
    {
        var config = call.Config();
        var key = Environment.GetEnvironmentVariable(config.Model.KeyEnvironment)
            ?? throw new VerbFailure(ExitCode.Usage, $"model.key_env: the variable {config.Model.KeyEnvironment} is not set");
        using var provider = new AnthropicUpstream(new ModelOptions { BaseUrl = new Uri(config.Model.BaseUrl), ApiKey = key });
        await using var tape = new StreamWriter(call.Value(output)!.FullName, append: true) { AutoFlush = true };
        return await ServeAsync(call, new TapeRecorder(provider, tape), call.Value(port), call.Value(role)!);
    }

    private static async Task<ExitCode> ReplayAsync(Call call, Argument<FileInfo> argument, Option<int> port, Option<string> role, Option<string> workspace)
    {
        var file = call.Value(argument)!;
        if (!file.Exists)
        {
            throw new VerbFailure(ExitCode.NotFound, $"{file} is not there");
        }

        try
        {
            var variables = new Dictionary<string, string> { ["ws"] = call.Value(workspace)!, ["home"] = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) };
            IModelUpstream tape = file.Extension == ".jsonl"
                ? new RecordedTape(File.ReadLines(file.FullName))
                : new TapeModel(TapeReader.Read(await File.ReadAllTextAsync(file.FullName, call.Cancellation)), _ => new TapeFacts("", "", variables), TimeProvider.System);
            return await ServeAsync(call, tape, call.Value(port), call.Value(role)!);
        }
        catch (FormatException error)
        {
            throw new VerbFailure(ExitCode.Usage, $"{file}: {error.Message}");
        }
    }

    private static async Task<ExitCode> ServeAsync(Call call, IModelUpstream upstream, int port, string role)
    {
        await using var host = await TapeHost.StartAsync(upstream, new Assignment(JobId.For("tape"), 1, 1, role), port, NullLoggerFactory.Instance, call.Cancellation);
        call.Speaker.Data(new { url = host.Address.ToString() }, writer => writer.WriteLine(host.Address));
        call.Speaker.Say("Set ANTHROPIC_BASE_URL to this address; Ctrl-C ends it.");
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, call.Cancellation);
        return ExitCode.Ok;
    }
}
