using System.Text;
using Gjoll.Wire;

namespace Gjoll.Guest.Tests.Wire;

public sealed class WireJsonTests
{
    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"op":"exec"}""")]
    [InlineData("""{"op":"dial","port":"1"}""")]
    [InlineData("""{"op":"dial","port":1,"port":2}""")]
    [InlineData("""{"op":"dial","port":99999999999}""")]
    [InlineData("""{"op":"dial","port":1} {}""")]
    [InlineData("""{"op":"dial","port":1,"more":1}""")]
    [InlineData("""{"op":"nothing"}""")]
    [InlineData("""{"port":1}""")]
    public void Request_IsRefusedWhenItIsNotExactlyOne(string json)
    {
        Assert.Throws<WireException>(() => WireJson.ReadRequest(new Frame(FrameKind.Request, 0, 1, Encoding.UTF8.GetBytes(json))));
    }

    [Fact]
    public void Request_IsRefusedWhenItIsDeepOrNotText()
    {
        var deep = Encoding.UTF8.GetBytes("""{"op":"health","x":""" + new string('[', 10_000));
        Assert.Throws<WireException>(() => WireJson.ReadRequest(new Frame(FrameKind.Request, 0, 1, deep)));
        Assert.Throws<WireException>(() => WireJson.ReadRequest(new Frame(FrameKind.Request, 0, 1, new byte[] { 0xff, 0xfe, 0 })));
    }

    [Fact]
    public void Request_LongerThanAFrameIsNotMade()
    {
        Assert.Throws<WireException>(() => WireJson.Request(1, new AttachRequest(new string('a', WireLimits.MaxPayload), 0, 0)));
    }
}
