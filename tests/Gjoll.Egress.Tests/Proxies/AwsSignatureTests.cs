using System.Text;
using Gjoll.Egress.Proxies;

namespace Gjoll.Egress.Tests.Proxies;

/// <summary>The signatures that AWS publishes for its example keys, which are nobody's.</summary>
public sealed class AwsSignatureTests
{
    private const string Stamp = "20150830T123600Z";
    private static readonly string Empty = AwsSignature.Hash([]);
    private static readonly AwsKey Example = new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", null);

    [Theory]
    [InlineData("GET", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")]
    [InlineData("POST", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b")]
    [InlineData("GET", "Param2=value2&Param1=value1", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500")]
    public void Signature_IsThePublishedOne(string method, string query, string signature)
    {
        var header = AwsSignature.Authorization(
            Example, "us-east-1", "service", Stamp, method, "/", AwsSignature.Query(query),
            [new("Host", "example.amazonaws.com"), new("X-Amz-Date", Stamp)], Empty);

        Assert.Equal(
            $"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature={signature}", header);
    }

    [Fact]
    public void Signature_OfTheDocumentedCallToIamIsThePublishedOne()
    {
        var header = AwsSignature.Authorization(
            Example, "us-east-1", "iam", Stamp, "GET", "/", AwsSignature.Query("Action=ListUsers&Version=2010-05-08"),
            [new("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"), new("Host", "iam.amazonaws.com"), new("X-Amz-Date", Stamp)], Empty);

        Assert.EndsWith("SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7", header, StringComparison.Ordinal);
    }

    [Fact]
    public void Signature_OfTheDocumentedObjectOfS3IsThePublishedOne()
    {
        const string At = "20130524T000000Z";
        var key = new AwsKey("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", null);

        var header = AwsSignature.Authorization(
            key, "us-east-1", "s3", At, "GET", AwsSignature.Path("/test.txt"), "",
            [new("Host", "examplebucket.s3.amazonaws.com"), new("Range", "bytes=0-9"), new("x-amz-content-sha256", Empty), new("x-amz-date", At)], Empty);

        Assert.EndsWith("Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41", header, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/a b", "/a%20b")]
    [InlineData("/a%20b", "/a%20b")]
    [InlineData("/model/x:0/invoke", "/model/x%3A0/invoke")]
    [InlineData("/%e1%88%b4", "/%E1%88%B4")]
    [InlineData("/~-_.", "/~-_.")]
    public void Path_HasOneSpelling(string path, string expected) => Assert.Equal(expected, AwsSignature.Path(path));

    [Theory]
    [InlineData(null, "")]
    [InlineData("acl", "acl=")]
    [InlineData("b=2&a=1&a=0&A=3", "A=3&a=0&a=1&b=2")]
    [InlineData("a=x+y&b=%2b/", "a=x%2By&b=%2B%2F")]
    public void Query_HasOneSpelling(string? query, string expected) => Assert.Equal(expected, AwsSignature.Query(query));

    [Fact]
    public async Task Request_IsSignedWithItsBody()
    {
        await using var lab = new ProxyLab();
        lab.Environment["AWS_ACCESS_KEY_ID"] = "AKIDEXAMPLE";
        lab.Environment["AWS_SECRET_ACCESS_KEY"] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        lab.Environment["AWS_SESSION_TOKEN"] = "session-token";
        var server = LabServer.Answering((_, _) => ProxyLab.Ok);
        await lab.StartAsync(lab.To(server) with { Credential = new ProxyCredential.AwsSigV4("bedrock", "us-east-1") });

        var answer = await lab.PostAsync(
            "{}", "/v1/model:0?b=1&a=2", "Content-Type: application/json\r\nX-Amz-Date: guest\r\nX-Amz-Security-Token: guest\r\nAuthorization: guest\r\nX-Amz-Meta: a\r\nX-Amz-Meta:  b  c\r\n");

        Assert.EndsWith("hi", answer, StringComparison.Ordinal);
        var (head, body) = Assert.Single(server.Requests);
        Assert.Equal("{}", body);
        Assert.StartsWith("POST /v1/model%3A0?a=2&b=1 HTTP/1.1\r\n", head, StringComparison.Ordinal);
        Assert.DoesNotContain("guest", head, StringComparison.Ordinal);
        var fields = head.Split("\r\n").Skip(1).Select(line => line.Split(": ", 2)).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.OrdinalIgnoreCase);
        Assert.Equal(AwsSignature.Hash(Encoding.ASCII.GetBytes("{}")), fields["X-Amz-Content-Sha256"]);
        Assert.Equal("session-token", fields["X-Amz-Security-Token"]);
        Assert.Equal("20260304T050607Z", fields["X-Amz-Date"]);

        // What the other side makes of the request as it arrived.
        var signed = fields["Authorization"].Split("SignedHeaders=")[1].Split(',')[0].Split(';');
        Assert.Equal(["content-type", "host", "x-amz-content-sha256", "x-amz-date", "x-amz-meta", "x-amz-security-token"], signed);
        Assert.Equal(
            AwsSignature.Authorization(
                Example, "us-east-1", "bedrock", "20260304T050607Z", "POST", "/v1/model%3A0", "a=2&b=1",
                signed.Select(name => KeyValuePair.Create(name, fields[name])), fields["X-Amz-Content-Sha256"]),
            fields["Authorization"]);
    }

    [Theory]
    [InlineData("/v1/x?X-Amz-Signature=1", "")]
    [InlineData("/v1/x?x%2Damz-credential=1", "")]
    [InlineData("/v1/x", "Content-Encoding: aws-chunked\r\n")]
    public async Task ForeignSignature_IsRefused(string path, string fields)
    {
        await using var lab = new ProxyLab();
        var server = LabServer.Answering((_, _) => ProxyLab.Ok);
        await lab.StartAsync(lab.To(server) with { Credential = Profile(lab) });

        Assert.Contains("X-Gjoll-Rule: foreign-signature", await lab.PostAsync("x", path, fields), StringComparison.Ordinal);
        Assert.Equal(0, server.Connections);
    }

    [Fact]
    public async Task Profile_IsReadFromTheSharedFileAndAnewAtEachRequest()
    {
        await using var lab = new ProxyLab();
        var server = LabServer.Answering((_, _) => ProxyLab.Ok);
        await lab.StartAsync(lab.To(server) with { Credential = Profile(lab) });

        await lab.GetAsync();
        lab.Write("credentials", "[work]\naws_access_key_id = SECOND\naws_secret_access_key = s\n");
        await lab.GetAsync();
        lab.Write("credentials", "[other]\n");
        var answer = await lab.GetAsync();

        Assert.Equal(["FIRST", "SECOND"], server.Requests.Select(request => request.Head.Split("Credential=")[1].Split('/')[0]));
        Assert.Contains("X-Gjoll-Rule: credential", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task UnsignedBody_IsPassedOnWhereAnOperatorAllowsIt()
    {
        await using var lab = new ProxyLab();
        using var certificate = LabServer.Certificate("api.test");
        var head = new TaskCompletionSource<string>();
        var server = LabServer.Tls(certificate, async stream =>
        {
            head.TrySetResult((await LabServer.ReadRequestAsync(stream)).Head);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(ProxyLab.Ok));
        });
        var definition = lab.To(server) with { Target = $"https://api.test:{server.Port}", AuthorityFile = lab.Write("ca.pem", certificate.ExportCertificatePem()) };
        await lab.StartAsync(definition with { Credential = Profile(lab) with { UnsignedPayload = true } });

        await lab.AskAsync("PUT /v1/x HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");

        var sent = await head.Task.WaitAsync(TestContext.Current.CancellationToken);
        Assert.Contains("X-Amz-Content-Sha256: UNSIGNED-PAYLOAD\r\n", sent + "\r\n", StringComparison.Ordinal);
        Assert.Contains("Transfer-Encoding: chunked", sent, StringComparison.Ordinal);
    }

    private static ProxyCredential.AwsSigV4 Profile(ProxyLab lab) => new("s3", "eu-central-1")
    {
        Profile = "work",
        File = lab.Write("credentials", "[default]\naws_access_key_id=NOT\naws_secret_access_key=NOT\n# a remark\n[work]\naws_access_key_id = FIRST\naws_secret_access_key = s\n"),
    };
}
