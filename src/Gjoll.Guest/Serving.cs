using Gjoll.Guest.Links;

namespace Gjoll.Guest;

/// <summary>The command line of an agent that does not own its machine.</summary>
internal sealed record Serving(LinkPlace Place, string KeyFile)
{
    public static Serving? Parse(IReadOnlyList<string> arguments)
    {
        if (arguments.Count == 0 || arguments[0] != "serve")
        {
            return null;
        }

        LinkPlace? place = null;
        string? key = null;
        for (var index = 1; index < arguments.Count; index++)
        {
            var value = index + 1 < arguments.Count ? arguments[index + 1] : null;
            switch (arguments[index])
            {
                case "--stdio" when place is null:
                    place = new LinkPlace.Stdio();
                    continue;
                case "--connect" when place is null && value is not null:
                    place = new LinkPlace.Socket(value);
                    break;
                case "--device" when place is null && value is not null:
                    place = new LinkPlace.Device(value);
                    break;
                case "--key" when key is null && value is not null:
                    key = value;
                    break;
                default:
                    return null;
            }

            index++;
        }

        return place is null || key is null ? null : new Serving(place, key);
    }
}
