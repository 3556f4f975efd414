namespace Gjoll.Egress.Proxies;

/// <param name="Methods">Upper case, as they stand in a request.</param>
/// <param name="Path">
/// What is asked for without the target's own path. <c>*</c> stands for any text within one segment, and <c>/**</c> at the end for everything below.
/// </param>
public sealed record ProxyRule(IReadOnlyList<string> Methods, string Path);
