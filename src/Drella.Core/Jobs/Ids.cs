using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Drella.Core.Journal;

namespace Drella.Core.Jobs;

/// <summary>
/// Names a job. Made from what asked for it, so that meeting the same spec revision twice gives the same job.
/// Text form: <c>j</c> and 12 lower-case hexadecimal digits.
/// </summary>
public readonly record struct JobId(string Value)
{
    private const int Digits = 12;
    private static readonly SearchValues<char> Hexadecimal = SearchValues.Create("0123456789abcdef");

    /// <summary>The journal stream of this job.</summary>
    public StreamId Stream => new("job/" + Value);

    /// <summary>Derives the id from the source's canonical key.</summary>
    public static JobId For(string sourceKey) =>
        new("j" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sourceKey)))[..Digits]);

    /// <summary>True when the text has the form of an id.</summary>
    public static bool TryParse(string? text, out JobId id)
    {
        var ok = text is { Length: Digits + 1 } && text[0] == 'j' && text.AsSpan(1).IndexOfAnyExcept(Hexadecimal) < 0;
        id = ok ? new JobId(text!) : default;
        return ok;
    }

    public override string ToString() => Value;
}

/// <summary>
/// The right to act for a job at one time: the token of a sandbox is bound to it and dies with it.
/// </summary>
/// <param name="Job">The job.</param>
/// <param name="Attempt">Try from a clean sandbox, from 1.</param>
/// <param name="Round">Agent-and-verdict or review loop inside the attempt, from 1.</param>
/// <param name="Role">Name of the role that is at work.</param>
public sealed record Assignment(JobId Job, int Attempt, int Round, string Role);
