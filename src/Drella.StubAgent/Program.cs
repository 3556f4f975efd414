using Drella.StubAgent;

var usage = "usage: drella-stub-agent --script FILE.json | --recording FILE.stream";
if (args is not [var option, var file] || option is not ("--script" or "--recording"))
{
    await Console.Error.WriteLineAsync(usage);
    return 2;
}

try
{
    var script = option == "--script"
        ? StubScript.Parse(await File.ReadAllBytesAsync(file), Path.GetDirectoryName(Path.GetFullPath(file))!)
        : StubScript.OfRecording(Path.GetFullPath(file));
    return await new StubPlayer(script).PlayAsync();
}
catch (Exception failure) when (failure is IOException or System.Text.Json.JsonException or UnauthorizedAccessException)
{
    await Console.Error.WriteLineAsync($"drella-stub-agent: {file}: {failure.Message}");
    return 2;
}
