using System.Globalization;
using System.Text.RegularExpressions;
using Gjoll.Hosts;

namespace Gjoll.Qemu;

/// <summary>Which QEMU and processor a saved state belongs to.</summary>
/// <param name="program">As in <see cref="QemuOptions.Program"/>.</param>
/// <param name="time">Bounds the asking.</param>
internal sealed partial class QemuVersion(string program, TimeProvider time)
{
    private Known? _known;

    /// <summary>The oldest with <c>x-ignore-shared</c>, <c>obsolete=deny</c> and <c>smbus=off</c> together.</summary>
    public static Version Oldest { get; } = new(6, 2);

    /// <summary>A program that says nothing at all must not hold up whoever looks whether it works.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(30);

    /// <summary>QEMU's own line. It is asked once for each state of its file: to start it takes longer than much of what the answer is for.</summary>
    /// <exception cref="GjollException">It is not installed, or too old; the message names the remedy.</exception>
    public async Task<string> ReadAsync(CancellationToken cancellationToken)
    {
        // Taken before it is asked. Two callers at once may both ask; they hear the same.
        var file = HostProcess.Find(program) is { } path ? Native.Identify(path) : null;
        if (file is not null && _known is { } known && known.File == file)
        {
            return known.Line;
        }

        var line = await AskAsync(cancellationToken);
        _known = file is null ? null : new Known(file, line);
        return line;
    }

    private async Task<string> AskAsync(CancellationToken cancellationToken)
    {
        string text;
        using var bounded = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(bounded.Token, cancellationToken);
        try
        {
            text = await HostProcess.RunAsync([program, "--version"], either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new GjollException($"'{program} --version' did not answer within {Patience.TotalSeconds:F0} seconds: install QEMU again.");
        }
        catch (GjollException missing)
        {
            throw new GjollException($"QEMU cannot be run ({missing.Message}): apt install qemu-system-x86 qemu-utils", isTransient: false, missing);
        }

        // QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)
        var line = text.Split('\n')[0].Trim();
        if (Number().Match(line) is not { Success: true } match)
        {
            throw new GjollException($"'{program} --version' did not name a version: {Printable.Of(line)}");
        }

        var version = new Version(int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture));
        return version >= Oldest ? line : throw new GjollException($"QEMU {version} is too old: version {Oldest} or newer is needed.");
    }

    /// <summary>Under KVM a state holds what the processor can do; under TCG it is the same everywhere.</summary>
    public static string HostOf(string version, Accelerator accelerator) =>
        accelerator == Accelerator.Tcg ? version : version + "\n" + Processor();

    private static string Processor() =>
        string.Join('\n', File.ReadLines("/proc/cpuinfo").Where(line => line.StartsWith("model name", StringComparison.Ordinal) || line.StartsWith("flags", StringComparison.Ordinal)).Distinct());

    private sealed record Known(FileIdentity File, string Line);

    [GeneratedRegex(@"version (\d{1,4})\.(\d{1,4})", RegexOptions.CultureInvariant)]
    private static partial Regex Number();
}
