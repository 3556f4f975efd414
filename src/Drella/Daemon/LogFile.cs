using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Drella.Daemon;

/// <summary>Writes log lines to a file, each at once. One process, any thread.</summary>
internal sealed class LogFile(string path, TimeProvider time) : ILoggerProvider
{
    private readonly Lock gate = new();
    private readonly StreamWriter writer = new(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read)) { AutoFlush = true };

    public ILogger CreateLogger(string categoryName) => new Lines(this, categoryName.Split('.')[^1]);

    public void Dispose()
    {
        lock (gate)
        {
            writer.Dispose();
        }
    }

    private void Write(LogLevel level, string category, string text, Exception? exception)
    {
        var line = string.Create(CultureInfo.InvariantCulture, $"{time.GetUtcNow():yyyy-MM-ddTHH:mm:ss.fffZ} {level} {category}: {text}");
        lock (gate)
        {
            writer.WriteLine(exception is null ? line : $"{line}\n{exception}");
        }
    }

    private sealed class Lines(LogFile owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                owner.Write(logLevel, category, formatter(state, exception), exception);
            }
        }
    }
}
