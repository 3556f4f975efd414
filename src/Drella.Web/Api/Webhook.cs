using Microsoft.AspNetCore.Http;

namespace Drella.Web.Api;

/// <summary>Takes what forges call: proven, counted once, and no more than a reason to look early. The poll is the truth.</summary>
internal sealed class Webhook(WebOptions options, WebPorts ports)
{
    private const int Remembered = 4096;

    private readonly Lock gate = new();
    private readonly HashSet<string> seen = [];
    private readonly Queue<string> order = new();

    public async Task<IResult> TakeAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        try
        {
            await request.Body.CopyToAsync(body, cancellationToken);
        }
        catch (BadHttpRequestException error)
        {
            return Results.StatusCode(error.StatusCode);
        }

        var headers = request.Headers.SelectMany(header => header.Value.Select(value => KeyValuePair.Create(header.Key, value ?? "")));
        if (options.VerifyWebhook(headers, body.ToArray()) is not { } delivery)
        {
            return Results.Unauthorized();
        }

        if (IsNew(delivery))
        {
            ports.Nudge();
        }

        return Results.Accepted();
    }

    private bool IsNew(string delivery)
    {
        lock (gate)
        {
            if (!seen.Add(delivery))
            {
                return false;
            }

            order.Enqueue(delivery);
            if (order.Count > Remembered)
            {
                seen.Remove(order.Dequeue());
            }

            return true;
        }
    }
}
