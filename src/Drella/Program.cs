using Drella.Terminal;
using Drella.Verbs;

return await CommandLine.RunAsync(Root.Build(Console.Out, Console.Error), args, Console.Out, Console.Error, CancellationToken.None);
