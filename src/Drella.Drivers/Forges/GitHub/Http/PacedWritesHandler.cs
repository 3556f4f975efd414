namespace Drella.Drivers.Forges.GitHub.Http;

/// <summary>Lets one write through at a time and keeps a pause between two, as GitHub asks of its clients.</summary>
internal sealed class PacedWritesHandler(TimeSpan gap, TimeProvider time) : DelegatingHandler
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private DateTimeOffset _next;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (!request.IsWrite())
        {
            return await base.SendAsync(request, cancellationToken);
        }

        await _turn.WaitAsync(cancellationToken);
        try
        {
            var wait = _next - time.GetUtcNow();
            if (wait > TimeSpan.Zero)
            {
                await Task.Delay(wait < gap ? wait : gap, time, cancellationToken);
            }

            return await base.SendAsync(request, cancellationToken);
        }
        finally
        {
            _next = time.GetUtcNow() + gap;
            _turn.Release();
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _turn.Dispose();
        }

        base.Dispose(disposing);
    }
}
