using Drella.Bench;

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
return await BenchRunner.RunAsync(Suite.Factory, args, Console.Out, Console.Error, stop.Token);
