namespace Drella.Doctor;

/// <summary>One thing that was looked at.</summary>
/// <param name="Name">Short and stable.</param>
/// <param name="Ok">True when it is as it should be.</param>
/// <param name="Detail">What was seen.</param>
/// <param name="Remedy">What to do when it is not.</param>
internal sealed record Check(string Name, bool Ok, string Detail, string? Remedy);
