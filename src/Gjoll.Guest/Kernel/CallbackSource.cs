namespace Gjoll.Guest.Kernel;

internal sealed class CallbackSource(Action<uint> ready) : Source
{
    public override void Ready(uint events) => ready(events);
}
