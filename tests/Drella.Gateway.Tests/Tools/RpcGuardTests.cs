using System.Text;
using Drella.Gateway.Tools;

namespace Drella.Gateway.Tests.Tools;

public sealed class RpcGuardTests
{
    public static TheoryData<string, int> Hostile => new()
    {
        { "", -32700 },
        { "nonsense", -32700 },
        { "\ufeff{}", -32700 },
        { """{"jsonrpc":"2.0","id":NaN,"method":"ping"}""", -32700 },
        { """{"jsonrpc":"2.0","id":1,"method":"ping",}""", -32700 },
        { """{"jsonrpc":"2.0","id":1,"method":"ping"} {}""", -32700 },
        { """{"jsonrpc":"2.0","id":1,"method":"ping"/* c */}""", -32700 },
        { """{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}""", -32700 },
        { """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","n\u0061me":"b"}}""", -32700 },
        { new string('[', 10_000), -32700 },
        { """{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":""" + new string('[', 31) + new string(']', 31) + "}}", -32700 },
        { "[]", -32600 },
        { """[{"jsonrpc":"2.0","id":1,"method":"ping"}]""", -32600 },
        { "1", -32600 },
        { "null", -32600 },
        { "{}", -32600 },
        { """{"jsonrpc":"1.0","id":1,"method":"ping"}""", -32600 },
        { """{"jsonrpc":2.0,"id":1,"method":"ping"}""", -32600 },
        { """{"jsonrpc":"2.0","id":1}""", -32600 },
        { """{"jsonrpc":"2.0","id":1,"result":{}}""", -32600 },
        { """{"jsonrpc":"2.0","id":1,"method":7}""", -32600 },
        { """{"jsonrpc":"2.0","id":null,"method":"ping"}""", -32600 },
        { """{"jsonrpc":"2.0","id":{},"method":"ping"}""", -32600 },
        { """{"jsonrpc":"2.0","id":1.5,"method":"ping"}""", -32600 },
        { """{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}""", -32600 },
        { """{"jsonrpc":"2.0","id":1e400,"method":"ping"}""", -32600 },
        { $$"""{"jsonrpc":"2.0","id":"{{new string('x', 129)}}","method":"ping"}""", -32600 },
        { """{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}""", -32600 },
        { """{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"\ud800"}}""", -32600 },
        { """{"jsonrpc":"2.0","id":"\udc00","method":"ping"}""", -32600 },
        { $$$"""{"jsonrpc":"2.0","id":1,"method":"ping","params":{"{{{new string('x', 201)}}}":1}}""", -32600 },
        { $$$"""{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":[{{{string.Join(',', Enumerable.Repeat("0", 25_000))}}}]}}""", -32600 },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Message_IsRefusedWithTheRightCode(string text, int code)
    {
        Assert.Null(RpcGuard.Read(Encoding.UTF8.GetBytes(text), out var fault));
        Assert.Equal(code, fault?.Code);
    }

    [Theory]
    [InlineData(new byte[] { (byte)'{', (byte)'"', 0xff, (byte)'"', (byte)':', (byte)'1', (byte)'}' })]
    [InlineData(new byte[] { (byte)'"', 0xc0, 0x80, (byte)'"' })]
    [InlineData(new byte[] { (byte)'"', 0xed, 0xa0, 0x80, (byte)'"' })]
    public void Message_IsRefusedWhenItIsNotUtf8(byte[] bytes)
    {
        Assert.Null(RpcGuard.Read(bytes, out var fault));
        Assert.Equal(-32700, fault?.Code);
    }

    [Fact]
    public void NameWithALoneSurrogate_IsRefused()
    {
        Assert.Null(RpcGuard.Read("""{"jsonrpc":"2.0","id":1,"method":"ping","params":{"\ud800":1}}"""u8.ToArray(), out var fault));
        Assert.NotNull(fault);
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":9007199254740991,"method":"ping"}""")]
    [InlineData("""{"jsonrpc":"2.0","id":"a","method":"tools/list","params":{"_meta":{"x":[1,2.5,null,true,"😀"]}}}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"notifications/initialized"}""")]
    public void Message_PassesWhenItIsSound(string text)
    {
        using var document = RpcGuard.Read(Encoding.UTF8.GetBytes(text), out var fault);

        Assert.NotNull(document);
        Assert.Null(fault);
    }
}
