namespace Drella.Forge;

/// <summary>What a user may do in a repository; each role holds the ones before it.</summary>
public enum ForgeRole
{
    None,
    Read,
    Triage,
    Write,
    Maintain,
    Admin,
}
