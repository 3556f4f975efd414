using Microsoft.Extensions.Logging;

namespace Gjoll.Cli.Work;

/// <summary>What the library has to say, as talk.</summary>
internal sealed class TalkLogger<T>(Speaker speaker, LogLevel least) : ILogger<T>
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= least;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            speaker.Say(formatter(state, exception));
        }
    }
}
