using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Drella.Core.Journal;
using Drella.Drivers.Journals.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Drivers.Tests.Journals;

/// <summary>
/// A real process that writes to a journal until it is killed, and says on stdout what was acknowledged. It is this test program,
/// started again with a variable that leads it here before any test runs.
/// </summary>
internal sealed class WriterProcess : IDisposable
{
    private const string Variable = "DRELLA_TEST_JOURNAL_WRITER";
    private const int Streams = 5;

    private readonly Process _process;

    private WriterProcess(Process process) => _process = process;

    public int Id => _process.Id;

    public StreamReader Output => _process.StandardOutput;

    public static BlobId Blob { get; } = new("job/transcript");

    /// <summary>Starts the writer and waits until it holds the folder.</summary>
    public static async Task<WriterProcess> StartAsync(string folder, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(WriterProcess).Assembly.Location]) { RedirectStandardOutput = true };
        start.Environment[Variable] = folder;
        var writer = new WriterProcess(Process.Start(start) ?? throw new InvalidOperationException("dotnet did not start."));
        Assert.Equal("open", await writer.Output.ReadLineAsync(cancellationToken));
        return writer;
    }

    /// <summary>As <c>kill -9</c>, then everything it had said before.</summary>
    public async Task<IReadOnlyList<string>> KillAsync(CancellationToken cancellationToken)
    {
        _process.Kill();
        var rest = await Output.ReadToEndAsync(cancellationToken);
        await _process.WaitForExitAsync(cancellationToken);

        // What stands behind the last newline is half a line: it was not said.
        return rest.Split('\n')[..^1];
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    /// <summary>The byte that stands at an offset of the blob.</summary>
    public static byte ByteAt(long offset) => (byte)(offset * 31 % 251);

    [ModuleInitializer]
    internal static void WriteWhenAsked()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { } path)
        {
            return;
        }

        using var folder = DataFolder.Open(path, TimeProvider.System);
        var store = SqliteJournalStore.OpenAsync(
            new SqliteJournalOptions { Folder = folder }, TimeProvider.System, NullLogger<SqliteJournalStore>.Instance, default).GetAwaiter().GetResult();
        var blob = store.Blobs.AppendAsync(Blob, default).GetAwaiter().GetResult();
        var length = store.Blobs.LengthAsync(Blob, default).GetAwaiter().GetResult();
        using var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false)) { AutoFlush = false };
        output.Write("open\n");
        output.Flush();
        for (var number = 0; ; number++)
        {
            length = WriteRound(store, blob, number, length, output);
        }
    }

    // Waits in place: until the initializer returns, no other thread may run code of this assembly.
    private static long WriteRound(SqliteJournalStore store, IBlobWriter blob, int number, long length, StreamWriter output)
    {
        var appends = new List<Task<IReadOnlyList<Entry>>>();
        for (var index = 0; index < 20; index++)
        {
            var payload = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""{"round":{{number}},"fill":"{{new string('x', number * 97 % 3000)}}"}"""));
            appends.Add(store.Journal.AppendAsync(
                new StreamId($"job/{index % Streams}"), null, [new NewEntry("a", 1, payload), new NewEntry("b", 1, payload)], default));
        }

        var bytes = new byte[1 + (number * 7919 % 150_000)];
        for (var index = 0; index < bytes.Length; index++)
        {
            bytes[index] = ByteAt(length + index);
        }

        blob.WriteAsync(bytes, default).AsTask().Wait();
        foreach (var append in appends)
        {
            foreach (var entry in append.GetAwaiter().GetResult())
            {
                output.Write($"{entry.Stream} {entry.Sequence} {Convert.ToHexString(entry.Hash.Span)}\n");
            }

            output.Flush();
        }

        blob.FlushAsync(default).Wait();
        output.Write(string.Create(CultureInfo.InvariantCulture, $"blob {length + bytes.Length} -\n"));
        output.Flush();
        return length + bytes.Length;
    }
}
