namespace Benchmarking;

/// <summary>Runs the benchmarks one after the other and says what came of it.</summary>
public static class BenchRunner
{
    private const int Ok = 0;
    private const int UsageError = 2;

    /// <summary>
    /// Runs what the arguments ask for. The answer goes to <paramref name="output"/>, progress to <paramref name="talk"/>. A missed target is a
    /// result and not a failure: the exit code is 0 when everything was measured, 2 when the arguments are wrong; a benchmark that breaks throws.
    /// </summary>
    public static async Task<int> RunAsync(BenchSuite suite, IReadOnlyList<string> arguments, TextWriter output, TextWriter talk, CancellationToken cancellationToken)
    {
        var (options, problem) = BenchOptions.Parse(suite, arguments);
        if (options is null)
        {
            await talk.WriteLineAsync($"{problem}\n\n{suite.Usage}");
            return UsageError;
        }

        var report = new BenchReport(TimeProvider.System.GetUtcNow(), options.IsQuick, Machine.Read(), []);
        var people = options.IsJson ? talk : output;
        await people.WriteLineAsync($"{report.Machine}{(options.IsQuick ? ", quick" : "")}");
        foreach (var benchmark in options.Chosen)
        {
            await people.WriteLineAsync($"\n{benchmark.Name}: {benchmark.What}");
            foreach (var row in await RunAsync(benchmark, options, talk, cancellationToken))
            {
                await people.WriteLineAsync(row.ToString());
                report = report with { Figures = [.. report.Figures, BenchFigure.Of(benchmark, row)] };
            }
        }

        await people.WriteLineAsync($"\n{report.Summary()}");
        if (options.IsJson)
        {
            await output.WriteLineAsync(report.ToJson());
        }

        await KeepAsync(report, options.Results, cancellationToken);
        return Ok;
    }

    private static async Task<IReadOnlyList<BenchRow>> RunAsync(Benchmark benchmark, BenchOptions options, TextWriter talk, CancellationToken cancellationToken)
    {
        // What the one before left to the collector is not to be paid for by this one.
        GC.Collect();
        var folder = Directory.CreateTempSubdirectory("dbench-").FullName;
        try
        {
            return await benchmark.RunAsync(new BenchRun(folder, options.IsQuick, line => talk.WriteLine($"  … {line}")), cancellationToken);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task KeepAsync(BenchReport report, string? folder, CancellationToken cancellationToken)
    {
        if (folder is not null)
        {
            Directory.CreateDirectory(folder);
            var name = report.StartedAt.ToString("yyyyMMdd-HHmmss", System.Globalization.CultureInfo.InvariantCulture);
            await File.WriteAllTextAsync(Path.Combine(folder, $"{name}.json"), report.ToJson() + "\n", cancellationToken);
        }
    }
}
