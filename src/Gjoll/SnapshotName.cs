namespace Gjoll;

/// <summary>The name of a snapshot within one sandbox; the same alphabet as <see cref="SandboxName"/>.</summary>
public readonly record struct SnapshotName
{
    private readonly string? _value;

    public SnapshotName(string value) =>
        _value = SandboxName.TryParse(value, out _)
            ? value
            : throw new ArgumentException($"'{value}' is not a snapshot name (a-z, 0-9 and '-', at most 40).", nameof(value));

    public string Value => _value ?? throw new InvalidOperationException("An empty snapshot name was used.");

    public override string ToString() => Value;
}
