using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Drella.Core.Forges;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Drella.Configuration;

/// <summary>A configuration, or everything that is wrong with the file.</summary>
internal sealed record ConfigResult(DrellaConfig? Config, string File, IReadOnlyList<ConfigProblem> Problems);

/// <summary>Reads and checks <c>drella.yaml</c>. Every problem is reported at once, with its key.</summary>
internal static partial class ConfigLoader
{
    public const string FileName = "drella.yaml";
    private const int MaxBytes = 256 * 1024;
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Loads the file; a file that is not there gives the defaults only when <paramref name="isOptional"/>.</summary>
    public static ConfigResult Load(string file, bool isOptional)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        if (!File.Exists(file))
        {
            return isOptional
                ? new ConfigResult(new DrellaConfig { Folder = folder }, file, [])
                : new ConfigResult(null, file, [new ConfigProblem("(file)", 0, "there is no such file; 'drella init' makes one")]);
        }

        if (new FileInfo(file).Length > MaxBytes)
        {
            return new ConfigResult(null, file, [new ConfigProblem("(file)", 0, $"is larger than {MaxBytes} bytes")]);
        }

        try
        {
            return Parse(Utf8.GetString(File.ReadAllBytes(file)).TrimStart('\uFEFF'), file, folder);
        }
        catch (DecoderFallbackException)
        {
            return new ConfigResult(null, file, [new ConfigProblem("(file)", 0, "is not UTF-8 text; save it as UTF-8")]);
        }
        catch (Exception refused) when (refused is UnauthorizedAccessException or IOException)
        {
            return new ConfigResult(null, file, [new ConfigProblem("(file)", 0, $"cannot be read: {refused.Message}")]);
        }
    }

    public static ConfigResult Parse(string text, string file, string folder)
    {
        var problems = new List<ConfigProblem>();
        YamlReader root;
        try
        {
            if (YamlShape.Problem(text) is { } shape)
            {
                return new ConfigResult(null, file, [shape]);
            }

            var yaml = new YamlStream();
            yaml.Load(new StringReader(text));
            root = yaml.Documents.Count == 0 ? YamlReader.Empty(problems) : Root(yaml.Documents[0].RootNode, problems);
        }
        catch (YamlException error)
        {
            return new ConfigResult(null, file, [new ConfigProblem("(file)", (int)error.Start.Line, "is not YAML: " + error.Message.Split('\n')[0])]);
        }

        var config = Read(root, folder, problems);
        root.RefuseUnknown();
        return new ConfigResult(problems.Count == 0 ? config : null, file, [.. problems.OrderBy(problem => problem.Line)]);
    }

    private static YamlReader Root(YamlNode node, List<ConfigProblem> problems)
    {
        if (node is YamlMappingNode mapping)
        {
            return new YamlReader(mapping, "", problems);
        }

        if (!YamlReader.IsNothing(node))
        {
            problems.Add(new ConfigProblem("(file)", (int)node.Start.Line, "is not a list of 'key: value' lines"));
        }

        return YamlReader.Empty(problems);
    }

    private static DrellaConfig Read(YamlReader root, string folder, List<ConfigProblem> problems)
    {
        var defaults = new DrellaConfig { Folder = folder };
        if (root.Text("version") is not (null or "1"))
        {
            root.Wrong("version", "only version 1 is known here");
        }

        var identity = root.Section("identity");
        var budget = root.Section("budget");
        var queue = root.Section("queue");
        var agent = root.Section("agent");
        var review = root.Section("review");
        var config = defaults with
        {
            Data = root.Text("data") ?? defaults.Data,
            Listen = ListenAddress(root) ?? defaults.Listen,
            PublicUrl = Address(root, "public_url"),
            Forge = ReadForge(root.Section("forge")),
            Tasks = [.. root.Sections("tasks").Select(ReadTasks)],
            Issues = [.. root.Sections("issues").Select(ReadIssues)],
            Repositories = Patterns(root, "repositories"),
            IdentityName = Line(identity, "name") ?? defaults.IdentityName,
            IdentityEmail = Line(identity, "email") ?? defaults.IdentityEmail,
            Model = ReadModel(root.Section("model")),
            JobBudget = budget.Money("job") ?? defaults.JobBudget,
            MaxJobBudget = budget.Money("max") ?? defaults.MaxJobBudget,
            MaxJobs = queue.Count("jobs", 1, 1000) ?? defaults.MaxJobs,
            MaxJobsPerRepository = queue.Count("per_repository", 1, 1000) ?? defaults.MaxJobsPerRepository,
            MaxJobsPerAuthor = queue.Count("per_author", 1, 1000) ?? defaults.MaxJobsPerAuthor,
            MaxRounds = agent.Count("max_rounds", 1, 100) ?? defaults.MaxRounds,
            WorkTimeout = agent.Time("work_timeout") ?? defaults.WorkTimeout,
            IdleTimeout = agent.Time("idle_timeout") ?? defaults.IdleTimeout,
            PollInterval = root.Time("poll_interval") ?? defaults.PollInterval,
            Pipelines = ReadPipelines(root.Section("pipelines"), defaults.Pipelines),
            Profiles = ReadProfiles(root.Section("profiles"), defaults.Profiles),
            Roles = root.Text("roles"),
            Sandbox = ReadSandbox(root.Section("sandbox")),
            RequireMention = review.Flag("require_mention") ?? defaults.RequireMention,
        };
        foreach (var section in new[] { identity, budget, queue, agent, review })
        {
            section.RefuseUnknown();
        }

        if (config.JobBudget > config.MaxJobBudget)
        {
            budget.Wrong("job", string.Create(CultureInfo.InvariantCulture, $"{config.JobBudget} is above budget.max, which is {config.MaxJobBudget}"));
        }

        // Port 0 is whichever is free, another one each time.
        if (config.Forge.Kind == "builtin" && config.Listen == config.Forge.Listen && new Uri(config.Listen).Port != 0)
        {
            root.Wrong("listen", $"{config.Listen} is the forge's address too (forge.listen); they need one each");
        }

        RefuseTwice(config.Tasks.Select(tasks => tasks.Repo), "tasks", root);
        RefuseTwice(config.Issues.Select(issues => issues.Repo), "issues", root);

        return config;
    }

    private static ForgeConfig ReadForge(YamlReader section)
    {
        var defaults = new ForgeConfig();
        var forge = new ForgeConfig
        {
            Kind = section.Text("kind", "builtin", "github") ?? defaults.Kind,
            Listen = ListenAddress(section) ?? defaults.Listen,
            ApiUrl = Address(section, "api_url") ?? defaults.ApiUrl,
            TokenEnvironment = Variable(section, "token_env"),
            TokenFile = section.Text("token_file"),
            WebhookUrl = Address(section, "webhook_url"),
        };
        if (forge is { Kind: "github", TokenEnvironment: null, TokenFile: null } && !section.Has("token_env"))
        {
            section.Wrong("token_env", "is missing: name the environment variable that holds the token, or a file with token_file");
        }

        section.RefuseUnknown();
        return forge;
    }

    private static TasksConfig ReadTasks(YamlReader section)
    {
        var tasks = new TasksConfig(Repo(section, "repo", isRequired: true) ?? "", Repo(section, "default_target", isRequired: false));
        section.RefuseUnknown();
        return tasks;
    }

    private static IssuesConfig ReadIssues(YamlReader section)
    {
        var issues = new IssuesConfig(Repo(section, "repo", isRequired: true) ?? "", section.Text("label"));
        section.RefuseUnknown();
        return issues;
    }

    private static ModelConfig ReadModel(YamlReader section)
    {
        var defaults = new ModelConfig();
        var model = new ModelConfig
        {
            Upstream = section.Text("upstream", "anthropic", "tape") ?? defaults.Upstream,
            BaseUrl = Address(section, "base_url") ?? defaults.BaseUrl,
            KeyEnvironment = Variable(section, "key_env") ?? defaults.KeyEnvironment,
            KeyFile = section.Text("key_file"),
            Tape = section.Text("tape"),
            Record = section.Text("record"),
            MaxOutputTokens = section.Count("max_output_tokens", 256, 1_000_000) ?? defaults.MaxOutputTokens,
        };
        if (model is { Upstream: "tape", Tape: null })
        {
            section.Wrong("tape", "is missing: name the tape to play");
        }

        section.RefuseUnknown();
        return model;
    }

    private static IReadOnlyDictionary<string, IReadOnlyList<string>> ReadPipelines(YamlReader section, IReadOnlyDictionary<string, IReadOnlyList<string>> defaults)
    {
        var pipelines = new Dictionary<string, IReadOnlyList<string>>(defaults);
        foreach (var name in section.Names())
        {
            if (section.Texts(name) is { Count: > 0 } roles)
            {
                pipelines[name] = roles;
            }
            else
            {
                section.Wrong(name, "names no role");
            }
        }

        return pipelines;
    }

    private static IReadOnlyDictionary<string, ProfileConfig> ReadProfiles(YamlReader section, IReadOnlyDictionary<string, ProfileConfig> defaults)
    {
        var profiles = new Dictionary<string, ProfileConfig>(defaults);
        foreach (var name in section.Names())
        {
            var profile = section.Section(name);
            profiles[name] = new ProfileConfig(profile.Texts("allowed_hosts") ?? [], profile.Texts("waivers") ?? []);
            foreach (var host in profiles[name].AllowedHosts.Where(host => !HostPattern().IsMatch(host)))
            {
                profile.Wrong("allowed_hosts", $"'{host}' is neither a host name nor '*.' and a host name");
            }

            profile.RefuseUnknown();
        }

        return profiles;
    }

    private static SandboxConfig ReadSandbox(YamlReader section)
    {
        var defaults = new SandboxConfig();
        var sandbox = new SandboxConfig
        {
            Provider = section.Text("provider", [.. SandboxConfig.Providers]) ?? defaults.Provider,
            Image = Image(section) ?? defaults.Image,
            Images = section.Text("images"),
            Accelerator = section.Text("accelerator", "auto", "kvm", "tcg") ?? defaults.Accelerator,
            AllowSlow = section.Flag("allow_slow") ?? defaults.AllowSlow,
            MemoryBytes = section.Size("memory") ?? defaults.MemoryBytes,
            DiskBytes = section.Size("disk") ?? defaults.DiskBytes,
            Processes = section.Count("processes", 16, 100_000) ?? defaults.Processes,
            Cpus = section.Count("cpus", 1, 256) ?? defaults.Cpus,
            Lifetime = section.Time("lifetime") ?? defaults.Lifetime,
            KeepFailed = section.Time("keep_failed") ?? defaults.KeepFailed,
        };
        section.RefuseUnknown();
        return sandbox;
    }

    private static string? Image(YamlReader section)
    {
        var text = section.Text("image");
        try
        {
            return text is null ? null : Gjoll.Images.ImageReference.Parse(text).ToString();
        }
        catch (Gjoll.GjollException refused)
        {
            section.Wrong("image", refused.Message);
            return null;
        }
    }

    private static string? Repo(YamlReader section, string key, bool isRequired)
    {
        var text = section.Text(key);
        if ((text is null && isRequired) || (text is not null && !RepoName.TryParse(text, out _)))
        {
            section.Wrong(key, text is null ? "is missing: write owner/name" : $"'{text}' is not owner/name");
            return null;
        }

        return text;
    }

    private static IReadOnlyList<string> Patterns(YamlReader section, string key)
    {
        var patterns = section.Texts(key) ?? [];
        foreach (var pattern in patterns.Where(pattern => !RepoPattern().IsMatch(pattern)))
        {
            section.Wrong(key, $"'{pattern}' is not owner/name, with '*' for any run of characters");
        }

        return patterns;
    }

    private static string? Address(YamlReader section, string key)
    {
        var text = section.Text(key);
        if (text is not null && (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.UserInfo.Length > 0))
        {
            section.Wrong(key, $"'{text}' is not an http or https address");
            return null;
        }

        return text?.TrimEnd('/');
    }

    private static string? ListenAddress(YamlReader section)
    {
        var text = Address(section, "listen");
        if (text is not null && new Uri(text) is var uri && (uri.Scheme != "http" || uri.PathAndQuery != "/" || uri.Fragment.Length > 0))
        {
            section.Wrong("listen", $"'{text}' must be http, a host and a port, such as http://127.0.0.1:4180; TLS is a reverse proxy's work");
            return null;
        }

        return text;
    }

    // The value is not repeated: people put the secret itself here.
    private static string? Variable(YamlReader section, string key)
    {
        var text = section.Text(key);
        if (text is not null && !VariablePattern().IsMatch(text))
        {
            section.Wrong(key, "is not the name of an environment variable (A-Z, 0-9 and _); write the name of the variable, never the secret itself");
            return null;
        }

        return text;
    }

    private static void RefuseTwice(IEnumerable<string> repos, string key, YamlReader root)
    {
        foreach (var twice in repos.Where(repo => repo.Length > 0).GroupBy(repo => repo, StringComparer.OrdinalIgnoreCase).Where(group => group.Count() > 1))
        {
            root.Wrong(key, $"{twice.Key} is named {twice.Count()} times; once is enough");
        }
    }

    private static string? Line(YamlReader section, string key)
    {
        var text = section.Text(key);
        if (text is not null && (text.Any(char.IsControl) || text.AsSpan().IndexOfAny("<>") >= 0 || text.Length > 200))
        {
            section.Wrong(key, "must be one plain line without < and >");
        }

        return text;
    }

    [GeneratedRegex(@"^[A-Z_][A-Z0-9_]{0,99}$")]
    private static partial Regex VariablePattern();

    [GeneratedRegex(@"^[A-Za-z0-9*][A-Za-z0-9._*-]*/[A-Za-z0-9*][A-Za-z0-9._*-]*$")]
    private static partial Regex RepoPattern();

    [GeneratedRegex(@"^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$")]
    private static partial Regex HostPattern();
}
