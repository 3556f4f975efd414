namespace Benchmarking;

/// <summary>What a benchmark is given.</summary>
/// <param name="Folder">An empty folder of its own, removed afterwards. Short, because unix sockets are made in it.</param>
/// <param name="IsQuick">Only show that it works: the smallest sizes, one sample.</param>
/// <param name="Talk">Takes progress, a line at a time.</param>
public sealed record BenchRun(string Folder, bool IsQuick, Action<string> Talk)
{
    /// <summary>A size for a real measurement, or the smallest that still goes through all of the code.</summary>
    public int Size(int full, int quick) => IsQuick ? quick : full;
}
