using System.Text;

namespace Drella.Drivers.Journals.Sqlite;

/// <summary>Decodes kinds without a new string for each row: a journal holds millions of entries and a few dozen kinds.</summary>
internal sealed class KindNames
{
    private const int MostKept = 1024;

    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);

    public string Of(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > 256)
        {
            return Encoding.UTF8.GetString(utf8);
        }

        Span<char> text = stackalloc char[256];
        text = text[..Encoding.UTF8.GetChars(utf8, text)];
        var known = _names.GetAlternateLookup<ReadOnlySpan<char>>();
        if (known.TryGetValue(text, out var name))
        {
            return name;
        }

        name = new string(text);
        if (_names.Count < MostKept)
        {
            _names.Add(name, name);
        }

        return name;
    }
}
