namespace Gjoll.Cli.Work;

/// <summary>Says at once what begins, and how long a step took when that was long.</summary>
internal sealed class Progress(Speaker speaker, TimeProvider time)
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(2);

    public async Task<T> DoAsync<T>(string what, Func<Task<T>> work)
    {
        speaker.Say($"{what} …");
        var started = time.GetTimestamp();
        var result = await work();
        if (time.GetElapsedTime(started) is var elapsed && elapsed > Long)
        {
            speaker.Say($"{what}: {elapsed.TotalSeconds:F1} s");
        }

        return result;
    }

    public Task DoAsync(string what, Func<Task> work) => DoAsync(what, async () =>
    {
        await work();
        return true;
    });
}
