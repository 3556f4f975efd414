namespace Drella.Drivers.Forges.GitHub;

/// <summary>Makes text of others fit for messages and logs.</summary>
internal static class Plain
{
    /// <summary>One line without control characters, at most <paramref name="max"/> long.</summary>
    public static string Line(string? text, int max) =>
        Cut(string.Concat((text ?? "").Take(max + 1).Select(c => char.IsControl(c) ? ' ' : c)), max);

    /// <summary>At most <paramref name="max"/> characters; a surrogate pair is never split.</summary>
    public static string Cut(string text, int max)
    {
        if (text.Length <= max)
        {
            return text;
        }

        var end = max - 1;
        return text[..(char.IsHighSurrogate(text[end - 1]) ? end - 1 : end)] + "…";
    }
}
