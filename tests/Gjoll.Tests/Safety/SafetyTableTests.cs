using Gjoll.Safety;

namespace Gjoll.Tests.Safety;

public sealed class SafetyTableTests
{
    [Fact]
    public void Table_HasALineForEachCaseAndAColumnForEachProvider()
    {
        var table = SafetyTable.Of(
        [
            ("bubblewrap", [new("E1", "connects", SafetyOutcome.Contained, null), new("R2", "allocates", SafetyOutcome.Declared, "no | group\nhere")]),
            ("qemu", [new("E1", "connects", SafetyOutcome.Breach, "reached 1.2.3.4")]),
        ]);

        Assert.Equal(
            """
            | case | attack | bubblewrap | qemu |
            |---|---|---|---|
            | E1 | connects | contained | not contained by this provider: reached 1.2.3.4 |
            | R2 | allocates | not contained by this provider: no / group·here | not run |

            """,
            table);
    }
}
