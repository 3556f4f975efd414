using Drella.Demo;

return args is ["demo", .. var rest]
    ? await new DemoRun(new DemoOptions(rest.Contains("--live"), rest.Contains("--json"), rest.Contains("--keep"), null), Console.Out, Console.Error, TimeProvider.System).RunAsync(CancellationToken.None)
    : 2;
