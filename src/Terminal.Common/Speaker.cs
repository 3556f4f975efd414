using System.Text.Json;
using System.Text.Json.Serialization;

namespace Terminal.Common;

/// <summary>Where a verb's words go: data to standard output, talk to standard error. With JSON the data is one document and nothing else.</summary>
public sealed class Speaker(TextWriter output, TextWriter talk, bool isJson)
{
    public static JsonSerializerOptions Wire { get; } = new(JsonSerializerDefaults.Web) { WriteIndented = true, Converters = { new JsonStringEnumConverter() } };

    public bool IsJson => isJson;

    public TextWriter Output => output;

    public TextWriter Talk => talk;

    /// <summary>The verb's result: as JSON when that is asked for, else by <paramref name="plain"/>.</summary>
    public void Data<T>(T data, Action<TextWriter> plain)
    {
        if (isJson)
        {
            output.WriteLine(JsonSerializer.Serialize(data, Wire));
        }
        else
        {
            plain(output);
        }
    }

    /// <summary>A bar for long work, on standard error.</summary>
    public ProgressBar Progress(string what) => new(talk, what, ReferenceEquals(talk, Console.Error) && !Console.IsErrorRedirected);

    public void Say(string text) => talk.WriteLine(TerminalText.Show(text));
}
