using Drella.Configuration;
using Drella.Core.Jobs;
using Drella.Gateway.Models;
using Drella.Gateway.Tapes;

namespace Drella.Daemon;

/// <summary>Where model calls go: the provider with our key, or a tape; recorded on the way when that is asked for.</summary>
internal sealed class Upstream(IModelUpstream model, IReadOnlyList<IDisposable> parts) : IAsyncDisposable
{
    public IModelUpstream Model => model;

    public static Upstream Open(DrellaConfig config, TimeProvider time, Func<JobId, Job?> find)
    {
        if (config.Model.Upstream == "tape")
        {
            return new Upstream(OpenTape(Path.Combine(config.Folder, config.Model.Tape!), time, find), []);
        }

        var provider = new AnthropicUpstream(new ModelOptions { BaseUrl = new Uri(config.Model.BaseUrl), ApiKey = Key(config) });
        if (config.Model.Record is not { } file)
        {
            return new Upstream(provider, [provider]);
        }

        var tape = new StreamWriter(Path.Combine(config.Folder, file), append: true) { AutoFlush = true };
        return new Upstream(new TapeRecorder(provider, tape), [tape, provider]);
    }

    public ValueTask DisposeAsync()
    {
        foreach (var part in parts)
        {
            part.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    private static IModelUpstream OpenTape(string file, TimeProvider time, Func<JobId, Job?> find)
    {
        if (!File.Exists(file))
        {
            throw new StartFailure($"model.tape: there is no file '{file}'");
        }

        try
        {
            return file.EndsWith(".jsonl", StringComparison.Ordinal)
                ? new RecordedTape(File.ReadLines(file))
                : new TapeModel(TapeReader.Read(File.ReadAllText(file)), assignment => Facts(find(assignment.Job)), time);
        }
        catch (FormatException error)
        {
            throw new StartFailure($"model.tape: '{file}': {error.Message}");
        }
    }

    private static TapeFacts Facts(Job? job) => new(
        job?.Request.Repo ?? "",
        job?.Request.Title ?? "",
        new Dictionary<string, string> { ["ws"] = "/work/repo", ["home"] = "/home/agent" });

    private static string Key(DrellaConfig config)
    {
        var key = config.Model.KeyFile is { } file && File.Exists(Path.Combine(config.Folder, file))
            ? File.ReadAllText(Path.Combine(config.Folder, file)).Trim()
            : Environment.GetEnvironmentVariable(config.Model.KeyEnvironment);
        return key is { Length: > 0 }
            ? key
            : throw new StartFailure($"model.key_env: the variable {config.Model.KeyEnvironment} is not set, and model.key_file names no file; without a key, 'model.upstream: tape' plays a tape");
    }
}
