namespace Gjoll.Bench;

/// <summary>Milliseconds since it was made.</summary>
internal readonly struct Since()
{
    private readonly long _started = TimeProvider.System.GetTimestamp();

    public double Milliseconds => TimeProvider.System.GetElapsedTime(_started).TotalMilliseconds;
}
