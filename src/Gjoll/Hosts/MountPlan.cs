namespace Gjoll.Hosts;

/// <summary>Host folders by a short name: as they are, or below /mnt in the mount namespace that a root launcher makes.</summary>
internal sealed class MountPlan(bool staged)
{
    private readonly Dictionary<string, string> _sources = new(StringComparer.Ordinal);
    private readonly List<string> _forLauncher = [];

    /// <summary>Kind, place, source, three by three.</summary>
    public IReadOnlyList<string> ForLauncher => _forLauncher;

    public void Add(string kind, string place, string source)
    {
        _sources[place] = staged ? "/mnt/" + place : source;
        _forLauncher.AddRange([kind, place, source]);
    }

    public string Source(string place) => _sources[place];
}
