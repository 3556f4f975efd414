using System.Net.Sockets;
using System.Runtime.InteropServices;
using Gjoll.Warden;

// Exit codes: 0 asked to end, 1 cannot serve, 2 called wrongly.
if (WardenOptions.Parse(args) is not { } options)
{
    await Console.Error.WriteLineAsync(WardenOptions.Usage);
    return 2;
}

using var end = new CancellationTokenSource();
using var warden = new Gjoll.Warden.Warden(options, TimeProvider.System);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
{
    context.Cancel = true;
    warden.Refresh();
});
try
{
    await warden.RunAsync(() => Console.Out.WriteLine("ready"), end.Token);
    return 0;
}
catch (OperationCanceledException) when (end.IsCancellationRequested)
{
    return 0;
}
catch (Exception failure) when (failure is IOException or SocketException or UnauthorizedAccessException or ArgumentException)
{
    await Console.Error.WriteLineAsync(failure.Message);
    return 1;
}

void End(PosixSignalContext context)
{
    context.Cancel = true;
    end.Cancel();
}
