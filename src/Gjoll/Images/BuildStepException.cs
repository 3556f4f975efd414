namespace Gjoll.Images;

/// <summary>A program of a build failed. The builder turns it into a <see cref="GjollException"/> that says what it was for.</summary>
internal sealed class BuildStepException(IReadOnlyList<string> command, int code, string tail) : Exception($"'{command[0]}' ended with code {code}: {tail.Trim()}")
{
    public string Tail { get; } = tail.Trim();

    public bool NoSpace => Tail.Contains("No space left on device", StringComparison.Ordinal) || Tail.Contains("enough free space", StringComparison.Ordinal);
}
