using System.Text;
using System.Text.RegularExpressions;
using Gjoll.Wire;

namespace Gjoll.Guest.Tests.Wire;

/// <summary>The examples of docs/formats/channel.md are true.</summary>
public sealed partial class ChannelDocumentTests
{
    private static readonly string Text = File.ReadAllText(Path.Combine(HostEnd.Repository(), "docs/formats/channel.md"));

    [Fact]
    public void Requests_AreRead()
    {
        var requests = Examples("json request").Select(json => WireJson.ReadRequest(Framed(json))).ToList();

        Assert.Equal(typeof(WireRequest).GetCustomAttributes(typeof(System.Text.Json.Serialization.JsonDerivedTypeAttribute), false).Length, requests.Select(request => request.GetType()).Distinct().Count());
    }

    [Fact]
    public void Answers_AreRead()
    {
        Assert.All(Examples("json response"), json => WireJson.ReadResponse(Framed(json)));
        Assert.All(Examples("json failure"), json => Assert.Equal(FailureCode.NotFound, WireJson.ReadFailure(Framed(json)).Code));
        Assert.NotEmpty(Examples("json response"));
    }

    [Fact]
    public void Frame_IsWhatTheWriterMakes()
    {
        var bytes = Convert.FromHexString(Assert.Single(Examples("hex")).Replace(" ", "", StringComparison.Ordinal).Trim());

        Assert.Equal(FrameWriter.Make(FrameKind.Ping, 0, [42]), bytes);
    }

    [Fact]
    public void Kinds_AreListedWithTheirNumbers()
    {
        Assert.All(Enum.GetValues<FrameKind>(), kind => Assert.Contains($"| {(byte)kind} | {kind} |", Text, StringComparison.Ordinal));
        Assert.All((int[])[WireLimits.MaxPayload, WireLimits.MaxData, WireLimits.Window, WireLimits.MaxChannels, WireLimits.MaxFinished], bound =>
            Assert.Contains($"{bound}", Text, StringComparison.Ordinal));
    }

    private static Frame Framed(string json) => new(FrameKind.Request, 0, 1, Encoding.UTF8.GetBytes(json));

    private static List<string> Examples(string kind) => [.. Blocks().Matches(Text).Where(block => block.Groups[1].Value == kind).Select(block => block.Groups[2].Value)];

    [GeneratedRegex("```([a-z ]+)\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
