using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Drella.Daemon;

/// <summary>Writes log lines to standard error, made harmless for a terminal.</summary>
internal sealed class TalkLog(TextWriter writer, TimeProvider time) : ILoggerProvider
{
    private readonly Lock gate = new();

    public ILogger CreateLogger(string categoryName) => new Lines(this);

    public void Dispose()
    {
    }

    private sealed class Lines(TalkLog owner) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var trouble = exception is null ? "" : $" ({exception.GetType().Name}: {exception.Message})";
            var line = string.Create(CultureInfo.InvariantCulture, $"{owner.Now():HH:mm:ss} {(logLevel >= LogLevel.Warning ? logLevel + ": " : "")}{formatter(state, exception)}{trouble}");
            lock (owner.gate)
            {
                owner.WriteLine(TerminalText.Show(line));
            }
        }
    }

    private DateTimeOffset Now() => time.GetLocalNow();

    private void WriteLine(string line) => writer.WriteLine(line);
}
