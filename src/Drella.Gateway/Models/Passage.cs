using Drella.Core.Budgets;

namespace Drella.Gateway.Models;

/// <summary>What one call came to: enough to settle it at any moment.</summary>
internal sealed class Passage
{
    // A cut answer's output is not told; this many bytes of its stream stand for a token, framing included.
    private const int StreamBytesPerToken = 32;

    public UsageMeter? Meter { get; private set; }

    /// <summary>A request reached the provider and its answer is not known yet.</summary>
    public bool Sent { get; set; }

    public int Status { get; private set; }

    public void Begin(UpstreamAnswer answer)
    {
        Status = answer.Status;
        Meter = new UsageMeter(answer.Headers.GetValueOrDefault("content-type", "").StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase));
    }

    public ModelUsage Usage(RequestBody body)
    {
        if (Status is >= 300 || (Status == 0 && !Sent))
        {
            return new ModelUsage(body.Model, 0, 0, 0, 0, 0, Status);
        }

        Meter?.Complete();
        var input = Meter is { Started: true } ? Meter.Input : PriceList.EstimateInput(body.Bytes.Length);
        var output = Meter switch
        {
            null => 0,
            { Finished: true } => Meter.Output,
            _ => Math.Max(Meter.Output, Math.Min(body.MaxTokens, Meter.Passed / StreamBytesPerToken)),
        };
        var (read, write) = (Meter?.CacheRead ?? 0, Meter?.CacheWrite ?? 0);
        return new ModelUsage(body.Model, input, output, read, write, PriceList.Cost(body.Model, input, output, read, write), Status);
    }
}
