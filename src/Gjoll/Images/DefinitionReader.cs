using System.Globalization;
using System.Text.RegularExpressions;

namespace Gjoll.Images;

internal sealed record DefinitionReading(ImageDefinition? Definition, IReadOnlyList<DefinitionError> Errors);

/// <summary>Reads a definition strictly: unknown keys, anchors, tags and second documents are refused, and all errors are found in one reading.</summary>
internal static partial class DefinitionReader
{
    public const int MaxLength = 1 << 20;

    private const long SmallestDisk = 64L << 20;
    private const long LargestDisk = 1L << 40;

    public static DefinitionReading Read(string text, string folder)
    {
        var errors = new List<DefinitionError>();
        var definition = DefinitionText.Parse(text, "the definition", errors) is { } table ? ReadImage(table, folder) : null;
        errors.Sort((left, right) => left.Line.CompareTo(right.Line));
        return new DefinitionReading(errors.Count == 0 ? definition : null, errors);
    }

    private static ImageDefinition ReadImage(DefinitionTable table, string folder)
    {
        if (table.Number("format", 1, int.MaxValue) is var format && table.Has("format") && format != ImageDefinition.CurrentFormat)
        {
            table.Fault(table.LineOf("format"), $"Format {format} is not known; this program reads format {ImageDefinition.CurrentFormat}.");
        }

        var name = Matching(table, "name", ImageName(), "lower-case letters, digits, '-' and '.', at most 64");
        var architecture = table.Text("architecture");
        if (architecture.Length > 0 && !ImageArchitecture.All.Contains(architecture))
        {
            table.Fault(table.LineOf("architecture"), $"The architecture '{architecture}' is not known; {Suggestion.For(architecture, ImageArchitecture.All)}.");
        }

        var suite = Matching(table, "suite", Word(), "the name of a Debian release");
        var timestamp = ReadTimestamp(table);
        var kernel = ReadKernel(table);
        var layers = new Dictionary<string, LayerDefinition>(StringComparer.Ordinal);
        if (table.Table("layers") is { } layerTable)
        {
            foreach (var key in layerTable.Keys)
            {
                layers[key] = ReadLayer(key, layerTable.Table(key)!, folder);
            }
        }
        else
        {
            table.Fault(table.Line, "the definition lacks the key 'layers'.");
        }

        var variants = ReadVariants(table, layers);
        table.Done();
        return new ImageDefinition
        {
            Folder = folder,
            Name = name,
            Architecture = architecture,
            Suite = suite,
            Timestamp = timestamp,
            Kernel = kernel,
            Layers = layers,
            Variants = variants,
        };
    }

    private static DateTimeOffset ReadTimestamp(DefinitionTable table)
    {
        var text = table.Text("timestamp");
        if (DateTimeOffset.TryParseExact(text, "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var timestamp)
            && timestamp >= DateTimeOffset.UnixEpoch.AddYears(10) && timestamp < DateTimeOffset.UnixEpoch.AddYears(68))
        {
            return timestamp;
        }

        if (text.Length > 0)
        {
            table.Fault(table.LineOf("timestamp"), $"'timestamp' is '{text}'; it must be a moment from 1980 to 2037 such as 2026-11-01T00:00:00Z.");
        }

        return DateTimeOffset.UnixEpoch;
    }

    private static KernelDefinition ReadKernel(DefinitionTable table)
    {
        if (table.Table("kernel") is not { } kernel)
        {
            table.Fault(table.Line, "the definition lacks the key 'kernel'.");
            return new KernelDefinition { Package = "", Modules = [], CommandLine = "" };
        }

        var read = new KernelDefinition
        {
            Package = Matching(kernel, "package", PackageName(), "the name of a Debian package"),
            Modules = MatchingAll(kernel, "modules", ModuleName(), "the name of a kernel module"),
            CommandLine = Matching(kernel, "command_line", KernelArguments(), "printable text in one line, at most 1024 characters"),
        };
        kernel.Done();
        return read;
    }

    private static Dictionary<string, VariantDefinition> ReadVariants(DefinitionTable table, Dictionary<string, LayerDefinition> layers)
    {
        var variants = new Dictionary<string, VariantDefinition>(StringComparer.Ordinal);
        if (table.Table("variants") is not { } all)
        {
            table.Fault(table.Line, "the definition lacks the key 'variants'.");
            return variants;
        }

        foreach (var name in all.Keys)
        {
            var line = all.LineOf(name);
            if (!ImageName().IsMatch(name))
            {
                all.Fault(line, $"The variant's name '{name}' must be lower-case letters, digits, '-' and '.', at most 64.");
            }

            var variant = all.Table(name)!;
            var names = variant.Texts("layers", required: true);
            foreach (var unknown in names.Where(layer => layer.Length > 0 && !layers.ContainsKey(layer)))
            {
                variant.Fault(variant.LineOf("layers"), $"There is no layer '{unknown}'; {Suggestion.For(unknown, layers.Keys)}.");
            }

            var twice = names.GroupBy(layer => layer).FirstOrDefault(group => group.Count() > 1);
            if (twice is not null)
            {
                variant.Fault(variant.LineOf("layers"), $"The layer '{twice.Key}' is named twice.");
            }

            variants[name] = new VariantDefinition { Name = name, Layers = names, DiskBytes = ReadSize(variant, "disk") };
            variant.Done();
            CheckVariant(variant, names.Where(layers.ContainsKey).Select(layer => layers[layer]).ToList());
        }

        return variants;
    }

    /// <summary>What no layer can know alone: owners must be users of the same variant.</summary>
    private static void CheckVariant(DefinitionTable variant, List<LayerDefinition> layers)
    {
        var users = layers.SelectMany(layer => layer.Users).ToList();
        foreach (var file in layers.SelectMany(layer => layer.Files).Where(file => file.Owner is not null && users.TrueForAll(user => user.Name != file.Owner)))
        {
            variant.Fault(variant.Line, $"The owner '{file.Owner}' of {file.Path} is no user of this variant; {Suggestion.For(file.Owner!, users.Select(user => user.Name))}.");
        }

        foreach (var same in users.GroupBy(user => user.Id).Where(group => group.Count() > 1))
        {
            variant.Fault(variant.Line, $"The users {string.Join(" and ", same.Select(user => user.Name))} have the same id {same.Key}.");
        }
    }

    private static LayerDefinition ReadLayer(string name, DefinitionTable table, string folder)
    {
        var layer = new LayerDefinition
        {
            Name = name,
            Packages = MatchingAll(table, "packages", PackageName(), "the name of a Debian package"),
            Users = [.. table.Tables("users").Select(ReadUser)],
            Files = [.. table.Tables("files").Select(file => ReadFile(file, folder))],
            Npm = [.. table.Tables("npm").Select(ReadNpm)],
            HostFolders = [.. table.Tables("host_folders").Select(ReadHostFolder)],
            Tests = table.Texts("tests"),
            Warm = table.Texts("warm"),
        };
        table.Done();
        return layer;
    }

    private static UserDefinition ReadUser(DefinitionTable table)
    {
        var user = new UserDefinition
        {
            Name = Matching(table, "name", Word(), "lower-case letters, digits and '-'"),
            Id = table.Number("id", 1000, 59999),
            Shell = table.Has("shell") ? GuestPath(table, "shell") : "/bin/bash",
            Sudo = table.Flag("sudo"),
        };
        table.Done();
        return user;
    }

    private static FileDefinition ReadFile(DefinitionTable table, string folder)
    {
        var path = GuestPath(table, "path");
        var from = table.OptionalText("from");
        var link = table.OptionalText("link");
        var content = table.OptionalText("content");
        var isFolder = table.Flag("folder");
        if (new[] { from is not null, link is not null, content is not null, isFolder }.Count(given => given) != 1)
        {
            table.Fault(table.Line, $"The file {path} needs exactly one of 'content', 'from', 'link' and 'folder'.");
        }

        if (from is { Length: > 0 } && !IsBelow(folder, from))
        {
            table.Fault(table.LineOf("from"), $"There is no '{from}' below the definition's folder.");
        }

        var mode = table.Text("mode", isFolder ? "0755" : "0644");
        if (!FileMode().IsMatch(mode))
        {
            table.Fault(table.LineOf("mode"), $"'mode' is '{mode}'; it must be four octal digits such as 0644.");
            mode = "0644";
        }

        var owner = table.OptionalText("owner");
        table.Done();
        return new FileDefinition { Path = path, From = from, LinkTo = link, Content = content, Mode = (UnixFileMode)Convert.ToInt32(mode, 8), Owner = owner };
    }

    private static NpmDefinition ReadNpm(DefinitionTable table)
    {
        var npm = new NpmDefinition
        {
            Package = Matching(table, "package", NpmName(), "the name of an npm package"),
            Version = Matching(table, "version", NpmVersion(), "one exact version"),
            Integrity = Matching(table, "integrity", Integrity(), "the sha512 that the registry publishes (npm view PACKAGE@VERSION dist.integrity)"),
            To = GuestPath(table, "to"),
            Links = ReadLinks(table),
            Agent = table.Has("agent") ? Matching(table, "agent", Word(), "lower-case letters, digits and '-'") : null,
        };
        table.Done();
        return npm;
    }

    private static HostFolderDefinition ReadHostFolder(DefinitionTable table)
    {
        var folder = new HostFolderDefinition
        {
            From = MatchingAll(table, "from", AbsolutePath(), "an absolute path", required: true),
            To = GuestPath(table, "to"),
            Links = ReadLinks(table),
            Without = MatchingAll(table, "without", FileName(), "the name of a file or folder"),
        };
        table.Done();
        return folder;
    }

    private static IReadOnlyDictionary<string, string> ReadLinks(DefinitionTable table)
    {
        var links = table.Pairs("links");
        foreach (var (link, target) in links)
        {
            if (!AbsolutePath().IsMatch(link) || !RelativePath().IsMatch(target))
            {
                table.Fault(table.LineOf("links"), $"The link '{link}: {target}' must lead from an absolute path to a path below 'to'.");
            }
        }

        return links;
    }

    private static long ReadSize(DefinitionTable table, string key)
    {
        var text = table.Text(key);
        if (Size().Match(text) is { Success: true } match)
        {
            var bytes = long.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) << (match.Groups[2].Value == "GiB" ? 30 : 20);
            if (bytes is >= SmallestDisk and <= LargestDisk)
            {
                return bytes;
            }
        }

        if (text.Length > 0)
        {
            table.Fault(table.LineOf(key), $"'{key}' is '{text}'; it must be a size from 64MiB to 1024GiB such as 2GiB.");
        }

        return SmallestDisk;
    }

    private static string GuestPath(DefinitionTable table, string key) =>
        Matching(table, key, AbsolutePath(), "an absolute path without '.', '..' and odd characters");

    private static string Matching(DefinitionTable table, string key, Regex pattern, string expected)
    {
        var text = table.Text(key);
        if (text.Length > 0 && !pattern.IsMatch(text))
        {
            table.Fault(table.LineOf(key), $"'{key}' is '{text}'; it must be {expected}.");
        }

        return text;
    }

    private static IReadOnlyList<string> MatchingAll(DefinitionTable table, string key, Regex pattern, string expected, bool required = false)
    {
        var texts = table.Texts(key, required);
        foreach (var text in texts.Where(text => text.Length > 0 && !pattern.IsMatch(text)))
        {
            table.Fault(table.LineOf(key), $"'{text}' in '{key}' must be {expected}.");
        }

        return texts;
    }

    private static bool IsBelow(string folder, string path)
    {
        var full = Path.GetFullPath(Path.Combine(folder, path));
        return full.StartsWith(folder.TrimEnd('/') + "/", StringComparison.Ordinal) && Path.Exists(full);
    }

    [GeneratedRegex(@"^[a-z0-9][a-z0-9.-]{0,63}\z")]
    private static partial Regex ImageName();

    [GeneratedRegex(@"^[a-z_][a-z0-9_-]{0,31}\z")]
    private static partial Regex Word();

    [GeneratedRegex(@"^[a-z0-9][a-z0-9+.-]{1,99}\z")]
    private static partial Regex PackageName();

    [GeneratedRegex(@"^[A-Za-z0-9_-]{1,64}\z")]
    private static partial Regex ModuleName();

    [GeneratedRegex(@"^[\x20-\x7e]{1,1024}\z")]
    private static partial Regex KernelArguments();

    [GeneratedRegex(@"^(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*\z")]
    private static partial Regex NpmName();

    [GeneratedRegex(@"^[0-9]+\.[0-9]+\.[0-9]+([+-][0-9A-Za-z.+-]+)?\z")]
    private static partial Regex NpmVersion();

    [GeneratedRegex(@"^sha512-[A-Za-z0-9+/]{86}==\z")]
    private static partial Regex Integrity();

    [GeneratedRegex(@"^(/(?!\.{1,2}(/|\z))[A-Za-z0-9._@+-]+)+\z")]
    private static partial Regex AbsolutePath();

    [GeneratedRegex(@"^((?!\.{1,2}(/|\z))[A-Za-z0-9._@+-]+)(/(?!\.{1,2}(/|\z))[A-Za-z0-9._@+-]+)*\z")]
    private static partial Regex RelativePath();

    [GeneratedRegex(@"^(?!\.{1,2}\z)[A-Za-z0-9._@+-]+\z")]
    private static partial Regex FileName();

    [GeneratedRegex(@"^[0-7]{4}\z")]
    private static partial Regex FileMode();

    [GeneratedRegex(@"^([0-9]{1,7})(MiB|GiB)\z")]
    private static partial Regex Size();
}
