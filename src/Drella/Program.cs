using System.CommandLine;
using Drella.Verbs;

return await Root.Build(Console.Out, Console.Error)
    .Parse(args)
    .InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(30) });
