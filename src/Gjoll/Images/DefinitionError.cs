namespace Gjoll.Images;

/// <summary>One thing that is wrong in a definition, and where.</summary>
public sealed record DefinitionError(long Line, string Text)
{
    public override string ToString() => $"line {Line}: {Text}";
}
