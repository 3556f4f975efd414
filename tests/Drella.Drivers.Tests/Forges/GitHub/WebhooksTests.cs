using System.Security.Cryptography;
using System.Text;
using Drella.Core.Forges;
using Drella.Drivers.Forges.GitHub;

namespace Drella.Drivers.Tests.Forges.GitHub;

public sealed class WebhooksTests
{
    private const string Secret = "It's a Secret to Everybody";

    [Fact]
    public void Signature_AgreesWithGitHubsVector()
    {
        const string Signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

        Assert.True(Webhooks.IsSigned(Signature, "Hello, World!"u8, Secret));
        Assert.False(Webhooks.IsSigned(Signature, "Hello, World?"u8, Secret));
        Assert.False(Webhooks.IsSigned(Signature, "Hello, World!"u8, Secret + " "));
    }

    [Theory]
    [InlineData("issues", """{"repository":{"full_name":"o/r"},"issue":{"number":3}}""", ForgeEventKind.Issue, 3)]
    [InlineData("issue_comment", """{"repository":{"full_name":"o/r"},"issue":{"number":3}}""", ForgeEventKind.Issue, 3)]
    [InlineData("issue_comment", """{"repository":{"full_name":"o/r"},"issue":{"number":3,"pull_request":{}}}""", ForgeEventKind.PullRequest, 3)]
    [InlineData("pull_request", """{"repository":{"full_name":"o/r"},"pull_request":{"number":4}}""", ForgeEventKind.PullRequest, 4)]
    [InlineData("pull_request_review", """{"repository":{"full_name":"o/r"},"pull_request":{"number":4}}""", ForgeEventKind.PullRequest, 4)]
    [InlineData("push", """{"repository":{"full_name":"o/r"},"ref":"refs/heads/main"}""", ForgeEventKind.Push, null)]
    [InlineData("check_run", """{"repository":{"full_name":"o/r"},"check_run":{"pull_requests":[{"number":9}]}}""", ForgeEventKind.Checks, 9)]
    [InlineData("status", """{"repository":{"full_name":"o/r"},"sha":"c0ffee"}""", ForgeEventKind.Checks, null)]
    [InlineData("ping", """{"repository":{"full_name":"o/r"}}""", ForgeEventKind.Ping, null)]
    [InlineData("star", """{"repository":{"full_name":"o/r"}}""", ForgeEventKind.Other, null)]
    [InlineData("issues", """{"repository":{"full_name":"o/r"},"issue":{"number":-1}}""", ForgeEventKind.Issue, null)]
    [InlineData("issues", """{"repository":{"full_name":"o/r"},"issue":{"number":1e99}}""", ForgeEventKind.Issue, null)]
    public void Delivery_CarriesKeysOnly(string name, string body, ForgeEventKind kind, int? number) =>
        Assert.Equal(new ForgeEvent("d-1", kind, RepoName.Parse("o/r"), number), Deliver(name, body));

    [Theory]
    [InlineData("""{"repository":{"full_name":"../../etc"}}""")]
    [InlineData("""{"repository":"o/r"}""")]
    [InlineData("""{"repository":{"full_name":7}}""")]
    [InlineData("[]")]
    [InlineData("7")]
    public void Delivery_WithoutAUsableRepositoryNamesNone(string body) => Assert.Null(Deliver("push", body)!.Repo);

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("payload=%7B%7D")]
    [InlineData("""{"repository":{"full_name":"\ud800"}}""")]
    public void SignedGarbage_IsNoEvent(string body) => Assert.Null(Deliver("push", body));

    [Fact]
    public void DeepBody_IsNoEvent() => Assert.Null(Deliver("push", new string('[', 100_000)));

    [Fact]
    public void Delivery_IsRefusedUnlessSignedExactlyOnce()
    {
        const string Body = "{}";
        var good = Sign(Body);

        Assert.NotNull(Verify(Body, ("X-Hub-Signature-256", good)));
        Assert.NotNull(Verify(Body, ("x-hub-signature-256", good)));
        Assert.Null(Verify(Body));
        Assert.Null(Verify(Body, ("X-Hub-Signature-256", good), ("X-Hub-Signature-256", good)));
        Assert.Null(Verify(Body, ("X-Hub-Signature-256", good), ("x-hub-signature-256", "sha256=" + new string('0', 64))));
        Assert.Null(Verify(Body, ("X-Hub-Signature-256", $"{good},{good}")));
        Assert.Null(Verify(Body, ("X-Hub-Signature-256", good["sha256=".Length..])));
        Assert.Null(Verify(Body, ("X-Hub-Signature-256", good[..^1])));
        Assert.Null(Verify(Body, ("X-Hub-Signature-256", good[..^1] + "g")));
        Assert.Null(Verify(Body, ("X-Hub-Signature-256", "")));
        Assert.Null(Verify(Body, ("X-Hub-Signature", good)));
        Assert.Null(Verify("{ }", ("X-Hub-Signature-256", good)));
    }

    [Fact]
    public void EmptySecret_IsRefused() => Assert.Throws<ArgumentException>(() => Webhooks.Verify([], [], ""));

    private static ForgeEvent? Deliver(string name, string body) => Webhooks.Verify(
        [new("X-GitHub-Event", name), new("X-GitHub-Delivery", "d-1"), new("X-Hub-Signature-256", Sign(body))], Encoding.UTF8.GetBytes(body), Secret);

    private static ForgeEvent? Verify(string body, params (string Name, string Value)[] signatures) => Webhooks.Verify(
        [new("X-GitHub-Event", "push"), new("X-GitHub-Delivery", "d-1"), .. signatures.Select(s => KeyValuePair.Create(s.Name, s.Value))],
        Encoding.UTF8.GetBytes(body), Secret);

    private static string Sign(string body) =>
        "sha256=" + System.Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes(body)));
}
