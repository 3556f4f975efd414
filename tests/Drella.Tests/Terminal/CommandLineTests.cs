using System.CommandLine;
using Terminal.Common;

namespace Drella.Tests.Terminal;

public sealed class CommandLineTests
{
    private readonly StringWriter output = new();
    private readonly StringWriter talk = new();

    [Theory]
    [InlineData("", "drella: a verb is missing; there are job, run")]
    [InlineData("job", "drella job: a verb is missing; there are ls, show")]
    [InlineData("jbo ls", "drella: 'jbo' is not known; did you mean 'job'?")]
    [InlineData("job sho", "drella job: 'sho' is not known; did you mean 'show'?")]
    [InlineData("job dance", "drella job: 'dance' is not known")]
    [InlineData("hidde", "drella: 'hidde' is not known")]
    [InlineData("--jsn", "drella: '--jsn' is not known; did you mean '--json'?")]
    [InlineData("run a.md --folow", "drella run: '--folow' is not known; did you mean '--follow'?")]
    [InlineData("run a.md --jsno", "drella run: '--jsno' is not known; did you mean '--json'?")]
    [InlineData("run", "drella run: Required argument 'spec' missing for command: 'run'.")]
    [InlineData("run a.md --times x", "drella run: Cannot parse argument 'x' for option '--times' as expected type 'System.Int32'.")]
    [InlineData("run a.md \u001b[31mred", "drella run: '?[31mred' is not known")]
    public async Task Run_SaysWhatIsWrongAndExitsWith2(string arguments, string expected)
    {
        var code = await RunAsync(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal(2, code);
        Assert.Equal("", output.ToString());
        var lines = talk.ToString().TrimEnd().Split(Environment.NewLine);
        Assert.Equal(expected, lines[0]);
        Assert.StartsWith("See 'drella", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_TakesNoArgumentsFromAFile()
    {
        Assert.Equal(0, await RunAsync("run", "@/etc/hostname"));

        Assert.Equal("@/etc/hostname", output.ToString());
    }

    [Fact]
    public async Task Run_GivesTheExitCodeOfTheVerb() => Assert.Equal(5, await RunAsync("job", "ls"));

    [Fact]
    public async Task Run_PrintsHelpAsData()
    {
        Assert.Equal(0, await RunAsync("job", "--help"));

        Assert.Contains("show", output.ToString(), StringComparison.Ordinal);
        Assert.Equal("", talk.ToString());
    }

    private Task<int> RunAsync(params string[] arguments) => CommandLine.RunAsync("drella", Tree(), arguments, output, talk, TestContext.Current.CancellationToken);

    private RootCommand Tree()
    {
        var spec = new Argument<string>("spec");
        var run = new Command("run") { spec, new Option<bool>("--follow"), new Option<int>("--times") };
        run.SetAction(parsed => output.Write(parsed.GetValue(spec)));
        var list = new Command("ls");
        list.SetAction(_ => 5);
        var hidden = new Command("hidden") { Hidden = true };
        hidden.SetAction(_ => 0);
        return new RootCommand { new Command("job") { list, new Command("show") }, run, hidden, new Option<bool>("--json") { Recursive = true } };
    }
}
