
namespace Gjoll.Egress.Tests;

public sealed class HostNameTests
{
    [Theory]
    [InlineData("ok.test", "ok.test")]
    [InlineData("OK.Test", "ok.test")]
    [InlineData("ok.test.", "ok.test")]
    [InlineData("xn--e1afmkfd.xn--p1ai", "xn--e1afmkfd.xn--p1ai")]
    [InlineData("a-b.c1.d", "a-b.c1.d")]
    [InlineData("1and1.com", "1and1.com")]
    [InlineData("127.0.0.1.nip.io", "127.0.0.1.nip.io")]
    [InlineData("0x7f.example", "0x7f.example")]
    [InlineData("localhost", "localhost")]
    public void Name_HasOneCanonicalForm(string text, string expected)
    {
        Assert.True(HostName.TryParse(text, out var host, out _));
        Assert.Equal(expected, host.Value);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("ok.test..")]
    [InlineData(".ok.test")]
    [InlineData("ok..test")]
    [InlineData("evil\0.ok.test")]
    [InlineData("ok.test\n")]
    [InlineData(" ok.test")]
    [InlineData("ok.test ")]
    [InlineData("ok.test@evil")]
    [InlineData("user:pw@ok.test")]
    [InlineData("ok.test%2eevil")]
    [InlineData("ok%00.test")]
    [InlineData("ok_test.com")]
    [InlineData("-ok.test")]
    [InlineData("ok-.test")]
    [InlineData("оk.test")]
    [InlineData("ok\u3002test")]
    [InlineData("ok.test\u00ad")]
    [InlineData("\u212a.test")]
    [InlineData("ok.test/path")]
    [InlineData("ok.test\\evil")]
    [InlineData("*.ok.test")]
    public void Name_IsRefusedWhenItIsNotPlain(string? text)
    {
        Assert.False(HostName.TryParse(text, out _, out var refusal));
        Assert.NotNull(refusal);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.1")]
    [InlineData("0")]
    [InlineData("2130706433")]
    [InlineData("0177.0.0.1")]
    [InlineData("0x7f000001")]
    [InlineData("0X7F.1")]
    [InlineData("0x7f.0.0.0x1")]
    [InlineData("0x")]
    [InlineData("1.2.3.4.")]
    [InlineData("256.256.256.256")]
    [InlineData("1.2.3.4.5")]
    [InlineData("evil.test.1")]
    [InlineData("[::1]")]
    [InlineData("::1")]
    [InlineData("[::ffff:127.0.0.1]")]
    [InlineData("fe80::1%eth0")]
    [InlineData("fd00:ec2::254")]
    [InlineData("[::1")]
    public void Address_IsRefusedInEveryForm(string text)
    {
        Assert.False(HostName.TryParse(text, out _, out var refusal));
        Assert.Equal(EgressRefusal.Literal, refusal);
    }

    [Fact]
    public void Length_IsBounded()
    {
        var label = new string('a', 63);
        var longest = $"{label}.{label}.{label}.{new string('a', 61)}";

        Assert.Equal(253, longest.Length);
        Assert.True(HostName.TryParse(longest, out _, out _));
        Assert.True(HostName.TryParse(longest + ".", out _, out _));
        Assert.False(HostName.TryParse("a" + longest, out _, out _));
        Assert.False(HostName.TryParse(new string('a', 64) + ".test", out _, out _));
        Assert.False(HostName.TryParse(string.Join('.', Enumerable.Repeat("a", 150)), out _, out _));
    }
}
