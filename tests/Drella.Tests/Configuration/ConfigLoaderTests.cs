using Drella.Configuration;

namespace Drella.Tests.Configuration;

public sealed class ConfigLoaderTests
{
    [Fact]
    public void Parse_ReportsEveryFaultAtOnceWithKeyAndLine()
    {
        var problems = Problems("""
            version: 2
            listn: http://127.0.0.1:1
            forge:
              kind: gitea
              tokn_env: X
            budget: { job: 60 }
            queue:
              jobs: many
            tasks:
            - repo: nowhere
            - just text
            """);

        Assert.Equal(
            [
                "line 1, version: only version 1 is known here",
                "line 2, listn: is not a key; there are agent, budget, data, forge, identity, issues, listen, model, pipelines, poll_interval, profiles, public_url, queue, repositories, review, roles, sandbox, tasks, version",
                "line 4, forge.kind: 'gitea' is not known; write one of builtin, github",
                "line 5, forge.tokn_env: is not a key; there are api_url, kind, listen, token_env, token_file, webhook_url",
                "line 6, budget.job: 60 is above budget.max, which is 50",
                "line 8, queue.jobs: 'many' is not a whole number from 1 to 1000",
                "line 10, tasks[0].repo: 'nowhere' is not owner/name",
                "line 11, tasks[1]: takes keys of its own",
            ],
            problems);
    }

    [Theory]
    [InlineData("just words", "line 1, (file): is not a list of 'key: value' lines")]
    [InlineData("- a\n- b", "line 1, (file): is not a list of 'key: value' lines")]
    [InlineData("data: a\n---\ndata: b", "line 2, (file): holds more than one document ('---')")]
    [InlineData("repositories: &a [x/y]\nroles: *a", "line 2, (file): uses an alias (*name), which is not read here; write the value out")]
    [InlineData("? [a]\n: b", "line 1, (file): holds a key that is not a plain word")]
    [InlineData("data: a\n\0listen: b", "line 2, (file): holds a NUL character; save it as plain text")]
    [InlineData("data: [a]", "line 1, data: takes one value")]
    [InlineData("forge: builtin", "line 1, forge: takes keys of its own")]
    [InlineData("tasks: { repo: a/b }", "line 1, tasks: takes a list")]
    [InlineData("repositories: a/b", "line 1, repositories: takes a list of values")]
    [InlineData("repositories: [everything]", "line 1, repositories: 'everything' is not owner/name, with '*' for any run of characters")]
    [InlineData("listen: 127.0.0.1:80", "line 1, listen: '127.0.0.1:80' is not an http or https address")]
    [InlineData("listen: https://127.0.0.1:80", "line 1, listen: 'https://127.0.0.1:80' must be http, a host and a port, such as http://127.0.0.1:4180; TLS is a reverse proxy's work")]
    [InlineData("listen: http://127.0.0.1:80/x", "line 1, listen: 'http://127.0.0.1:80/x' must be http, a host and a port, such as http://127.0.0.1:4180; TLS is a reverse proxy's work")]
    [InlineData("listen: http://127.0.0.1:4181", "line 1, listen: http://127.0.0.1:4181 is the forge's address too (forge.listen); they need one each")]
    [InlineData("forge: { kind: github }", "forge.token_env: is missing: name the environment variable that holds the token, or a file with token_file")]
    [InlineData("model: { upstream: tape }", "model.tape: is missing: name the tape to play")]
    [InlineData("model: { base_url: 'https://me:secret@host' }", "line 1, model.base_url: 'https://me:secret@host' is not an http or https address")]
    [InlineData("identity: { name: 'a <b>' }", "line 1, identity.name: must be one plain line without < and >")]
    [InlineData("pipelines: { fast: [] }", "line 1, pipelines.fast: names no role")]
    [InlineData("profiles: { default: { allowed_hosts: ['https://a.b'] } }", "line 1, profiles.default.allowed_hosts: 'https://a.b' is neither a host name nor '*.' and a host name")]
    [InlineData("sandbox: { provider: docker }", "line 1, sandbox.provider: 'docker' is not known; write one of auto, qemu, bubblewrap")]
    [InlineData("sandbox: { image: \"a b\" }", "line 1, sandbox.image: 'a b' names no image; write name, name:variant or name@sha256:DIGEST.")]
    [InlineData("sandbox: { memory: 4GB }", "line 1, sandbox.memory: '4GB' is not a size such as 512MiB or 4GiB")]
    [InlineData("poll_interval: 5", "line 1, poll_interval: '5' is not a time such as 500ms, 30s, 10m, 2h or 7d")]
    [InlineData("review: { require_mention: yes }", "line 1, review.require_mention: 'yes' is not true or false")]
    [InlineData("budget: { job: -1 }", "line 1, budget.job: '-1' is not an amount of US dollars from 0.01 to 1000000, such as 2.50")]
    [InlineData("tasks: [{ repo: a/b }, { repo: A/b }]", "line 1, tasks: a/b is named 2 times; once is enough")]
    [InlineData("tasks: [{}]", "tasks[0].repo: is missing: write owner/name")]
    public void Parse_NamesTheFault(string yaml, string expected) => Assert.Equal([expected], Problems(yaml));

    [Theory]
    [InlineData("data: a\ndata: b")]
    [InlineData("data: 'open")]
    [InlineData("data: [a")]
    [InlineData("data: *missing")]
    public void Parse_RefusesWhatIsNotYaml(string yaml)
    {
        var problem = Assert.Single(ConfigLoader.Parse(yaml, "drella.yaml", "/").Problems);

        Assert.Equal("(file)", problem.Key);
        Assert.True(problem.Line > 0, problem.ToString());
    }

    [Theory]
    [InlineData("ghp_0123456789abcdef")]
    [InlineData("sk-ant-secret")]
    public void Parse_DoesNotRepeatASecretThatStandsWhereAVariableIsNamed(string secret)
    {
        var result = ConfigLoader.Parse($"model: {{ key_env: {secret} }}\nforge: {{ kind: github, token_env: {secret} }}", "drella.yaml", "/");

        Assert.Equal(["model.key_env", "forge.token_env"], result.Problems.Select(problem => problem.Key));
        Assert.All(result.Problems, problem => Assert.DoesNotContain(secret, problem.ToString(), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData('[')]
    [InlineData('{')]
    public void Parse_SurvivesDepthThatWouldExhaustTheStack(char open)
    {
        var problem = Assert.Single(ConfigLoader.Parse("data: " + new string(open, 200_000), "drella.yaml", "/").Problems);

        Assert.Contains("nested deeper", problem.What, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("# only a comment")]
    [InlineData("---")]
    [InlineData("~")]
    [InlineData("data:\nlisten: ~\ntasks:\nforge: null\nrepositories:\nbudget: { job: }")]
    public void Parse_TakesNothingForTheDefaults(string yaml)
    {
        var result = ConfigLoader.Parse(yaml, "drella.yaml", "/srv");

        Assert.Empty(result.Problems);
        Assert.Equal("/srv/.drella", result.Config!.DataFolder);
        Assert.Equal("builtin", result.Config.Forge.Kind);
        Assert.Equal(5, result.Config.JobBudget);
    }

    [Fact]
    public void Parse_LetsTheKernelChooseBothPorts() =>
        Assert.Empty(ConfigLoader.Parse("listen: http://127.0.0.1:0\nforge: { listen: http://127.0.0.1:0 }", "drella.yaml", "/").Problems);

    [Fact]
    public void Load_SaysThatTheFileIsMissingOnlyWhenItWasNamed()
    {
        var file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName(), "drella.yaml");

        Assert.Equal("(file): there is no such file; 'drella init' makes one", Assert.Single(ConfigLoader.Load(file, isOptional: false).Problems).ToString());
        Assert.Equal(Path.GetDirectoryName(file), ConfigLoader.Load(file, isOptional: true).Config!.Folder);
    }

    [Fact]
    public void Load_ReadsAFileWithByteOrderMark()
    {
        var result = Loaded([0xEF, 0xBB, 0xBF, .. "data: here"u8]);

        Assert.Empty(result.Problems);
        Assert.Equal("here", result.Config!.Data);
    }

    [Fact]
    public void Load_RefusesWhatIsNotUtf8() =>
        Assert.Equal("(file): is not UTF-8 text; save it as UTF-8", Assert.Single(Loaded([.. "data: "u8, 0xFF, 0xFE]).Problems).ToString());

    [Fact]
    public void Load_RefusesAFileThatIsTooLarge() =>
        Assert.Equal("(file): is larger than 262144 bytes", Assert.Single(Loaded(new byte[300_000]).Problems).ToString());

    private static IEnumerable<string> Problems(string yaml)
    {
        var result = ConfigLoader.Parse(yaml, "drella.yaml", "/");
        Assert.Null(result.Config);
        return result.Problems.Select(problem => problem.ToString());
    }

    private static ConfigResult Loaded(byte[] bytes)
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, bytes);
            return ConfigLoader.Load(file, isOptional: false);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
