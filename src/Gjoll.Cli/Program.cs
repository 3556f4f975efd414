using Gjoll.Cli.Verbs;

return await CommandLine.RunAsync("gjoll", Root.Build(Console.Out, Console.Error), args, Console.Out, Console.Error, CancellationToken.None);
