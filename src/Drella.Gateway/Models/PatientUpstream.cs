using System.Globalization;
using Drella.Core.Sandboxes;

namespace Drella.Gateway.Models;

/// <summary>Absorbs what a provider in trouble answers: bounded tries with growing pauses, which all jobs share.</summary>
internal sealed class PatientUpstream(IModelUpstream upstream, ModelOptions options, TimeProvider time)
{
    private readonly RateGate gate = new(options.MaxCalls, time);

    /// <summary>The answer, which holds its place at the provider until disposed; null when there was no connection to the end.</summary>
    public async Task<Held?> SendAsync(SandboxName sandbox, UpstreamCall call, Passage passage, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            var held = await TryAsync(sandbox, call, passage, cancellationToken);
            if (tries >= options.Tries || held is { Answer.Status: not 429 and < 500 } || Says(held, "x-should-retry") == "false")
            {
                return held;
            }

            var throttled = held?.Answer.Status is 429 or 529;
            var pause = PauseAfter(tries, Says(held, "retry-after"));
            held?.Dispose();
            if (throttled)
            {
                gate.Pause(pause);
            }

            await Task.Delay(pause, time, cancellationToken);
        }
    }

    private static string? Says(Held? held, string header) => held?.Answer.Headers.GetValueOrDefault(header);

    private async Task<Held?> TryAsync(SandboxName sandbox, UpstreamCall call, Passage passage, CancellationToken cancellationToken)
    {
        await gate.EnterAsync(sandbox, cancellationToken);
        var held = default(Held);
        try
        {
            passage.Sent = true;
            held = new Held(await upstream.SendAsync(call, cancellationToken), gate);
            return held;
        }
        catch (Exception failed) when (failed is HttpRequestException or IOException)
        {
            passage.Sent = false;
            return null;
        }
        finally
        {
            if (held is null)
            {
                gate.Leave();
            }
        }
    }

    private TimeSpan PauseAfter(int tries, string? retryAfter)
    {
        var asked = double.TryParse(retryAfter, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0 and < 1e6
            ? TimeSpan.FromSeconds(seconds)
            : options.FirstPause * Math.Pow(2, tries - 1);
        return asked < options.LongestPause ? asked : options.LongestPause;
    }

    /// <summary>An answer and its place at the provider.</summary>
    internal sealed class Held(UpstreamAnswer answer, RateGate gate) : IDisposable
    {
        public UpstreamAnswer Answer => answer;

        public void Dispose()
        {
            answer.Dispose();
            gate.Leave();
        }
    }
}
