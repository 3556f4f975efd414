namespace Gjoll.Egress;

/// <param name="Door"><c>egress</c>, or <c>proxy:</c> and the name of a named proxy.</param>
/// <param name="Target">What was asked for: ASCII on one line, without the query, at most 300 characters.</param>
/// <param name="Allowed">The decision.</param>
/// <param name="Rule">The rule that decided.</param>
public sealed record EgressDecision(string Door, string Target, bool Allowed, string Rule);
