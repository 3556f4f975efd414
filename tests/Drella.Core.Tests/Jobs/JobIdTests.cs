using Drella.Core.Jobs;

namespace Drella.Core.Tests.Jobs;

public sealed class JobIdTests
{
    [Fact]
    public void Id_FollowsFromTheSourceAndItsRevisionWhateverTheCaseOfTheName()
    {
        var source = Some.Source("greet", revision: "r1");

        Assert.Equal(source.Job, (source with { Name = "Greet", Repo = "Team/Tasks", Author = "bob" }).Job);
        Assert.NotEqual(source.Job, (source with { Revision = "r2" }).Job);
        Assert.NotEqual(source.Job, (source with { Kind = SourceKind.Issue }).Job);
        Assert.True(JobId.TryParse(source.Job.Value, out var parsed));
        Assert.Equal(source.Job, parsed);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("j12345678901")]
    [InlineData("j1234567890123")]
    [InlineData("jABCDEF012345")]
    [InlineData("x123456789012")]
    [InlineData("j12345678901/")]
    public void TryParse_RefusesOtherForms(string? text) => Assert.False(JobId.TryParse(text, out _));
}
