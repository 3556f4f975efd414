namespace Gjoll.Egress.Proxies;

/// <summary>Signs requests for AWS. The path and query are sent in the one form that is signed.</summary>
internal sealed class AwsInjector(ProxyCredential.AwsSigV4 credential, Func<string, string?> environment, TimeProvider time) : IInjector
{
    private static readonly string[] SignatureParameters = ["x-amz-algorithm", "x-amz-credential", "x-amz-signature", "x-amz-security-token", "x-amz-signedheaders", "awsaccesskeyid"];

    private readonly AwsKeySource keys = new(credential, environment);

    public IReadOnlyList<string> Owned => ["Authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256"];

    public bool HoldsBody => !credential.UnsignedPayload;

    public Task CheckAsync(CancellationToken cancellationToken) => keys.ReadAsync(cancellationToken);

    /// <summary>A presigned address, and a body whose pieces are signed, are somebody else's signatures: with ours beside them they mean nothing good.</summary>
    public EgressRefusal? Judge(OutgoingRequest request)
    {
        var names = AwsSignature.Query(request.Query).Split('&').Select(pair => pair.Split('=')[0]);
        var isChunked = request.Fields.Any(field =>
            field.Key.Equals("Content-Encoding", StringComparison.OrdinalIgnoreCase) && field.Value.Contains("aws-chunked", StringComparison.OrdinalIgnoreCase));
        return isChunked || names.Any(name => SignatureParameters.Contains(name, StringComparer.OrdinalIgnoreCase)) ? ProxyRefusals.Signed : null;
    }

    public async Task InjectAsync(OutgoingRequest request, CancellationToken cancellationToken)
    {
        var key = await keys.ReadAsync(cancellationToken);
        var stamp = AwsSignature.Stamp(time.GetUtcNow());
        var hash = credential.UnsignedPayload && request.HasBody ? AwsSignature.UnsignedPayload : AwsSignature.Hash(request.Body.Span);
        var query = AwsSignature.Query(request.Query);

        request.Path = AwsSignature.Path(request.Path);
        request.Query = query.Length == 0 ? null : query;
        request.Set("X-Amz-Date", stamp);
        request.Set("X-Amz-Content-Sha256", hash);
        if (key.Session is { } session)
        {
            request.Set("X-Amz-Security-Token", session);
        }

        Merge(request);
        var signed = request.Fields
            .Where(field => field.Key.StartsWith("x-amz-", StringComparison.OrdinalIgnoreCase) || (request.HasBody && field.Key.Equals("Content-Type", StringComparison.OrdinalIgnoreCase)))
            .Append(new("Host", request.Target.Authority));
        request.Set(
            "Authorization",
            AwsSignature.Authorization(key, credential.Region, credential.Service, stamp, request.Method, request.Path, query, signed, hash));
    }

    // What is signed is the line as it is sent, and several lines of one name would be joined on their way.
    private static void Merge(OutgoingRequest request)
    {
        foreach (var same in request.Fields.GroupBy(field => field.Key, StringComparer.OrdinalIgnoreCase).Where(same => same.Count() > 1).ToList())
        {
            request.Set(same.Key, string.Join(',', same.Select(field => field.Value)));
        }
    }
}
