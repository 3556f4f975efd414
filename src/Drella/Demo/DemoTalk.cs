using System.Globalization;
using Drella.Core.Jobs;

namespace Drella.Demo;

/// <summary>Says what is going on, a line for each thing, with the time since the start. Thread-safe.</summary>
internal sealed class DemoTalk(TextWriter writer, TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly long started = time.GetTimestamp();
    private string last = "";
    private JobEntry.ProgressReported? told;

    public void Step(string what) => Write($"\n{what}");

    public void Line(string what) => Write($"  {what}");

    /// <summary>A line when the job moved on since the last one.</summary>
    public void Progress(Job job)
    {
        var text = job switch
        {
            { Conclusion: { } conclusion, Step: null } => $"over: {conclusion}",
            { IsStepOpen: true, Step: { } step } => $"{job.Phase}: {step}",
            { Phase: JobPhase.InReview, Step: null } => "in review",
            _ => last,
        };
        if (job.Progress is { } progress && progress != told)
        {
            told = progress;
            text = $"the agent says: {progress.Text}";
        }

        lock (gate)
        {
            if (text == last)
            {
                return;
            }

            last = text;
        }

        Write($"  [{time.GetElapsedTime(started).TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture),5} s] {text}");
    }

    private void Write(string text)
    {
        lock (gate)
        {
            writer.WriteLine(text);
        }
    }
}
