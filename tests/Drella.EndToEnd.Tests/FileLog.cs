using Microsoft.Extensions.Logging;

namespace Drella.EndToEnd.Tests;

/// <summary>Keeps the daemon's log for the text of a failure.</summary>
internal sealed class FileLog(string path) : ILoggerProvider
{
    private readonly StreamWriter writer = new(path, append: true);

    public ILogger CreateLogger(string categoryName) => new Lines(this, categoryName);

    public void Flush()
    {
        lock (writer)
        {
            writer.Flush();
        }
    }

    public string Tail()
    {
        lock (writer)
        {
            writer.Flush();
            var lines = File.ReadAllLines(path);
            return string.Join('\n', lines.TakeLast(60));
        }
    }

    public void Dispose() => writer.Dispose();

    private sealed class Lines(FileLog owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (owner.writer)
            {
                owner.writer.WriteLine($"{DateTime.UtcNow:HH:mm:ss.fff} {logLevel} {category.Split('.')[^1]}: {formatter(state, exception)} {exception}");
                owner.writer.Flush();
            }
        }
    }
}
