using Drella.Verbs;

return await CommandLine.RunAsync("drella", Root.Build(Console.Out, Console.Error), args, Console.Out, Console.Error, CancellationToken.None);
