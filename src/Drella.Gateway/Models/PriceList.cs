namespace Drella.Gateway.Models;

/// <summary>List prices per token, in millionths of a US dollar (dollars per million tokens). The longest matching prefix counts.</summary>
internal static class PriceList
{
    // Dearest of each family at the time of writing; a model that is not listed costs as much as the dearest.
    private static readonly Price[] Known =
    [
        new("claude-opus-4-5", 5, 25),
        new("claude-opus-4-6", 5, 25),
        new("claude-opus", 15, 75),
        new("claude-sonnet", 3, 15),
        new("claude-haiku", 1, 5),
        new("claude-3-5-haiku", 0.8m, 4),
    ];

    private static readonly Price Dearest = Known.MaxBy(price => price.Output)!;

    /// <summary>The most a call can cost. Three bytes a token is fewer than any language needs; a cache write is the dearest input.</summary>
    public static long Bound(string model, long bodyBytes, long maxOutput) => Cost(model, 0, maxOutput, 0, EstimateInput(bodyBytes));

    public static long EstimateInput(long bodyBytes) => (bodyBytes + 2) / 3;

    public static long Cost(string model, long input, long output, long cacheRead, long cacheWrite)
    {
        var price = Of(model);
        // A cache write of an hour costs twice the input, which bounds the shorter one.
        return (long)Math.Ceiling((input * price.Input) + (output * price.Output) + (cacheRead * price.Input * 0.1m) + (cacheWrite * price.Input * 2m));
    }

    private static Price Of(string model) =>
        Known.Where(price => model.StartsWith(price.Prefix, StringComparison.Ordinal)).MaxBy(price => price.Prefix.Length) ?? Dearest;

    private sealed record Price(string Prefix, decimal Input, decimal Output);
}
