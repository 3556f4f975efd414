using System.Globalization;

namespace Terminal.Common;

/// <summary>
/// How far long work is: a bar that redraws itself on a terminal, a line for every tenth elsewhere. Always talk, never data. Thread-safe.
/// </summary>
public sealed class ProgressBar(TextWriter talk, string what, bool isTerminal) : IProgress<double>, IDisposable
{
    private const int Width = 30;

    private readonly Lock gate = new();
    private int shown = -1;

    public void Report(double value)
    {
        var percent = (int)(Math.Clamp(double.IsNaN(value) ? 0 : value, 0, 1) * 100);
        lock (gate)
        {
            // Work that reports from several threads may be told of out of turn; a bar never goes back.
            if (percent <= shown || (!isTerminal && shown >= 0 && percent / 10 == shown / 10))
            {
                return;
            }

            shown = percent;
            talk.Write(isTerminal
                ? $"\r{what} [{new string('#', percent * Width / 100).PadRight(Width, '.')}] {Number(percent)} %"
                : $"{what}: {Number(percent)} %{Environment.NewLine}");
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            if (isTerminal && shown >= 0)
            {
                talk.WriteLine();
            }
        }
    }

    private static string Number(int percent) => percent.ToString(CultureInfo.InvariantCulture).PadLeft(3);
}
