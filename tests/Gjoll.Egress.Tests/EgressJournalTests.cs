namespace Gjoll.Egress.Tests;

public sealed class EgressJournalTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("ej");
    private readonly ManualTime time = new();

    private string File => Path.Combine(folder.FullName, "j.jsonl");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public async Task File_IsContinuedAndPutAwayWhenItIsFull()
    {
        await using (var first = new EgressJournal(File, 400, time))
        {
            await RecordAsync(first, 2, "early");
        }

        await using var journal = new EgressJournal(File, 400, time);
        await RecordAsync(journal, 7, "late");

        Assert.InRange(new FileInfo(File).Length, 1, 400);
        Assert.InRange(new FileInfo(File + ".1").Length, 1, 400);
        Assert.Equal(2, folder.GetFiles().Length);
    }

    [Fact]
    public async Task Flood_OfRefusalsIsKeptAsANumberAndOtherSandboxesAreNotTouched()
    {
        await using var journal = new EgressJournal(File, 1 << 20, time);

        await RecordAsync(journal, 1000, "noisy");
        await RecordAsync(journal, 1, "quiet");
        time.Now += TimeSpan.FromMinutes(1);
        await RecordAsync(journal, 1, "noisy");

        var lines = await System.IO.File.ReadAllLinesAsync(File, TestContext.Current.CancellationToken);
        Assert.Equal(123, lines.Length);
        Assert.Contains("\"quiet\"", lines[120], StringComparison.Ordinal);
        Assert.Contains("880 more refusals in a minute", lines[121], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Openings_BeyondWhatAMinuteHoldsStayShut()
    {
        await using var journal = new EgressJournal(File, 1 << 20, time);
        await RecordAsync(journal, 1200, "busy", isAllowed: true);

        await Assert.ThrowsAsync<IOException>(() => RecordAsync(journal, 1, "busy", isAllowed: true));
    }

    [Fact]
    public async Task FullDisk_IsAnUnkeptDecision()
    {
        await using var journal = new EgressJournal("/dev/full", 1 << 20, time);

        await Assert.ThrowsAsync<IOException>(() => RecordAsync(journal, 1, "s"));
    }

    [Fact]
    public async Task HostileText_StaysOnItsLine()
    {
        await using var journal = new EgressJournal(File, 1 << 20, time);

        await journal.RecordAsync("s", null, new EgressDecision("egress", "a\r\n{\"x\":1}\u2028", false, "r"), TestContext.Current.CancellationToken);

        Assert.Single(await System.IO.File.ReadAllLinesAsync(File, TestContext.Current.CancellationToken));
    }

    private static async Task RecordAsync(EgressJournal journal, int times, string sandbox, bool isAllowed = false)
    {
        for (var i = 0; i < times; i++)
        {
            await journal.RecordAsync(sandbox, null, new EgressDecision("egress", "CONNECT x.test:443", isAllowed, "rule"), TestContext.Current.CancellationToken);
        }
    }
}
