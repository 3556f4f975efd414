namespace Drella.Gateway.Tapes;

/// <summary>What a tape saw. Clean when every request was one that its script foresaw.</summary>
/// <param name="Requests">Requests seen.</param>
/// <param name="Served">Steps served, as <c>script match: step</c>, in order.</param>
/// <param name="Mismatches">What went against a script.</param>
public sealed record TapeReport(int Requests, IReadOnlyList<string> Served, IReadOnlyList<string> Mismatches)
{
    public bool IsClean => Mismatches.Count == 0;
}

/// <summary>What a tape may know of an assignment: for its matches and its variables (<c>ws</c>, <c>home</c>).</summary>
public sealed record TapeFacts(string Repo, string Title, IReadOnlyDictionary<string, string> Variables);
