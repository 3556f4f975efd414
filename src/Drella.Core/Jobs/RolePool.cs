using System.Collections.Concurrent;

namespace Drella.Core.Jobs;

/// <summary>
/// Makes jobs that were opened with the same roles hold the same objects. Each journal stream brings its own copy of the roles' prompts, and for
/// thousands of jobs these copies would be most of the memory. Thread-safe.
/// </summary>
internal sealed class RolePool
{
    private readonly ConcurrentDictionary<IReadOnlyList<RoleSnapshot>, IReadOnlyList<RoleSnapshot>> known = new(new SameRoles());

    /// <summary>The first pipeline seen that is equal to this one.</summary>
    public IReadOnlyList<RoleSnapshot> Share(IReadOnlyList<RoleSnapshot> pipeline) => known.GetOrAdd(pipeline, pipeline);

    private sealed class SameRoles : IEqualityComparer<IReadOnlyList<RoleSnapshot>>
    {
        private static readonly IReadOnlyList<string> NoTools = [];

        public bool Equals(IReadOnlyList<RoleSnapshot>? x, IReadOnlyList<RoleSnapshot>? y) =>
            ReferenceEquals(x, y) || (x is not null && y is not null && x.Count == y.Count && x.Zip(y).All(pair => IsSame(pair.First, pair.Second)));

        public int GetHashCode(IReadOnlyList<RoleSnapshot> obj)
        {
            var hash = default(HashCode);
            foreach (var role in obj)
            {
                hash.Add(role.Name);
                hash.Add(role.Prompt);
            }

            return hash.ToHashCode();
        }

        // The record compares the list of tools by reference; everything else by value.
        private static bool IsSame(RoleSnapshot x, RoleSnapshot y) => x.Tools.SequenceEqual(y.Tools) && x with { Tools = NoTools } == y with { Tools = NoTools };
    }
}
