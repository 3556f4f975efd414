namespace Gjoll.Egress;

/// <summary>
/// Hosts that may be reached: an exact name, or <c>*.</c> and a name of two labels or more for its subdomains (never the name itself).
/// Nothing is trimmed or guessed; a bad pattern makes the whole list invalid. An empty list reaches nothing.
/// </summary>
internal sealed class AllowList
{
    private readonly HashSet<string> exact = new(StringComparer.Ordinal);
    private readonly HashSet<string> parents = new(StringComparer.Ordinal);

    private AllowList()
    {
    }

    /// <summary>What is wrong with the patterns, a sentence each that names the pattern; empty when the list is good.</summary>
    public static IReadOnlyList<string> Problems(IReadOnlyList<string> patterns) => new AllowList().Add(patterns);

    /// <summary>Reads the list, or throws <see cref="FormatException"/> with every problem in it.</summary>
    public static AllowList Parse(IReadOnlyList<string> patterns)
    {
        var list = new AllowList();
        var problems = list.Add(patterns);
        return problems.Count == 0 ? list : throw new FormatException(string.Join("; ", problems));
    }

    /// <summary>The pattern that lets the host through, or null.</summary>
    public string? Match(HostName host)
    {
        if (exact.Contains(host.Value))
        {
            return host.Value;
        }

        for (var dot = host.Value.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = host.Value.IndexOf('.', dot + 1))
        {
            if (parents.Contains(host.Value[(dot + 1)..]))
            {
                return "*" + host.Value[dot..];
            }
        }

        return null;
    }

    private List<string> Add(IReadOnlyList<string> patterns)
    {
        var problems = new List<string>();
        foreach (var pattern in patterns)
        {
            if (Add(pattern) is { } problem)
            {
                problems.Add($"host pattern '{Printable.Escape(pattern ?? "", 80)}' {problem}");
            }
        }

        return problems;
    }

    private string? Add(string? pattern)
    {
        var isParent = pattern?.StartsWith("*.", StringComparison.Ordinal) == true;
        var text = isParent ? pattern![2..] : pattern;
        if (!HostName.TryParse(text, out var name, out var refusal) || text![^1] == '.')
        {
            return refusal == EgressRefusal.Literal
                ? "is an address; only names are allowed"
                : "is neither a name nor '*.' and a name";
        }

        if (isParent && !name.Value.Contains('.', StringComparison.Ordinal))
        {
            return "opens a whole top-level domain";
        }

        (isParent ? parents : exact).Add(name.Value);
        return null;
    }
}
