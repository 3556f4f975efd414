using Terminal.Common;

namespace Drella.Tests.Terminal;

public sealed class NearestTests
{
    private static readonly string[] Verbs = ["backup", "cancel", "continue", "demo", "diff", "doctor", "log", "ls", "verify"];

    [Theory]
    [InlineData("verfy", "verify")]
    [InlineData("dcotor", "doctor")]
    [InlineData("doctorr", "doctor")]
    [InlineData("ver", "verify")]
    [InlineData("con", "continue")]
    [InlineData("sl", "ls")]
    [InlineData("cancle", "cancel")]
    public void To_FindsWhatWasMeant(string word, string expected) => Assert.Equal(expected, Nearest.To(word, Verbs));

    [Theory]
    [InlineData("")]
    [InlineData("destroy")]
    [InlineData("xx")]
    [InlineData("v")]
    public void To_StaysSilentWhenNothingIsNear(string word) => Assert.Null(Nearest.To(word, Verbs));
}
