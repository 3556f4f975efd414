using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace Gjoll;

/// <summary>
/// The name of a sandbox: 1 to 40 characters of <c>a-z 0-9 -</c>, beginning and ending with a letter or digit, so that it can stand in a path,
/// a cgroup, a host name and a command line without quoting.
/// </summary>
public readonly partial record struct SandboxName
{
    private readonly string? _value;

    public SandboxName(string value) =>
        _value = IsValid(value) ? value : throw new ArgumentException($"'{value}' is not a sandbox name (a-z, 0-9 and '-', at most 40).", nameof(value));

    public string Value => _value ?? throw new InvalidOperationException("An empty sandbox name was used.");

    public static bool TryParse(string? text, [NotNullWhen(true)] out SandboxName? name)
    {
        name = text is not null && IsValid(text) ? new SandboxName(text) : null;
        return name is not null;
    }

    public override string ToString() => Value;

    private static bool IsValid(string? text) => text is not null && Pattern().IsMatch(text);

    [GeneratedRegex(@"\A[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
