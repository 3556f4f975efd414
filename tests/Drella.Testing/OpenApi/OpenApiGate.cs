using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Drella.Testing.OpenApi;

/// <summary>
/// Judges HTTP exchanges by GitHub's published OpenAPI description. Paths may carry the <c>/api/v3</c> prefix of a GitHub Enterprise host.
/// Thread-safe. Problems are returned as text and also kept in <see cref="Problems"/>; <see cref="AssertClean"/> fails with all of them.
/// </summary>
public sealed class OpenApiGate
{
    private static readonly Lazy<JsonElement> Document = new(LoadDocument);

    private readonly SchemaValidator _validator;
    private readonly List<OpenApiOperation> _operations;
    private readonly ConcurrentDictionary<string, int> _exercised = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _problems = new();

    private OpenApiGate(JsonElement document)
    {
        _validator = new SchemaValidator(document);
        _operations = [.. document.GetProperty("paths").EnumerateObject()
            .SelectMany(p => p.Value.EnumerateObject()
                .Where(m => m.Name is "get" or "post" or "put" or "patch" or "delete")
                .Select(m => new OpenApiOperation(m.Name.ToUpperInvariant(), p.Name, m.Value)))
            .OrderByDescending(o => o.Literals).ThenByDescending(o => o.Path.Length)];
    }

    /// <summary>A fresh gate over the committed subset of the description.</summary>
    public static OpenApiGate Load() => new(Document.Value);

    public IReadOnlyList<OpenApiOperation> Operations => _operations;

    /// <summary>Operation name ("GET /repos/{owner}/{repo}") → how many responses of it were judged with a documented success status.</summary>
    public IReadOnlyDictionary<string, int> Exercised => _exercised;

    public IReadOnlyCollection<string> Problems => _problems;

    public void AssertClean() => Assert.True(_problems.IsEmpty, "Against the OpenAPI description:\n" + string.Join('\n', _problems));

    /// <summary>The operation a request falls under; null when the description has none.</summary>
    public OpenApiOperation? Match(string method, string path)
    {
        var bare = Normalise(path);
        return _operations.FirstOrDefault(o => o.Method == method && o.Matches(bare));
    }

    /// <summary>Checks that the status is documented and the body fits its schema. An empty list means good.</summary>
    public IReadOnlyList<string> ValidateResponse(string method, string pathAndQuery, int status, string? contentType, ReadOnlyMemory<byte> body)
    {
        var (path, _) = Split(pathAndQuery);
        if (Match(method, path) is not { } operation)
        {
            // Even an unknown path answers in the documented error shape.
            return status == 404 ? [] : Report($"{method} {path}", [$"{status} from an operation that is not in the description"]);
        }

        var name = $"{operation.Name} → {status}";
        if (Deviations.IsNotModified(method, status))
        {
            return body.IsEmpty ? [] : Report(name, ["304 with a body"]);
        }

        var responses = operation.Definition.GetProperty("responses");
        if (!responses.TryGetProperty(status.ToString(System.Globalization.CultureInfo.InvariantCulture), out var response))
        {
            return Deviations.IsCommonError(method, status)
                ? Report(name, ValidateError(contentType, body))
                : Report(name, ["the status is not documented"]);
        }

        if (status < 400)
        {
            _exercised.AddOrUpdate(operation.Name, 1, (_, n) => n + 1);
        }

        return Report(name, ValidateContent(_validator.Resolve(response), contentType, body));
    }

    /// <summary>Checks query names and values and the body; refuses fields the description does not list. An empty list means good.</summary>
    public IReadOnlyList<string> ValidateRequest(string method, string pathAndQuery, string? contentType, ReadOnlyMemory<byte> body)
    {
        var (path, query) = Split(pathAndQuery);
        if (Match(method, path) is not { } operation)
        {
            return Report($"{method} {path}", ["the request is not in the description"]);
        }

        var problems = new List<string>();
        CheckQuery(operation, query, problems);
        if (operation.Definition.TryGetProperty("requestBody", out var requestBody))
        {
            CheckRequestBody(requestBody, contentType, body, problems);
        }
        else if (!body.IsEmpty)
        {
            problems.Add("a body where the description has none");
        }

        return Report("request " + operation.Name, problems);
    }

    private void CheckQuery(OpenApiOperation operation, string query, List<string> problems)
    {
        var documented = operation.Definition.TryGetProperty("parameters", out var parameters)
            ? parameters.EnumerateArray().Select(_validator.Resolve).Where(p => p.GetProperty("in").GetString() == "query")
                .ToDictionary(p => p.GetProperty("name").GetString()!)
            : [];
        var given = query.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(p => p.Split('=', 2))
            .Select(p => (Name: Uri.UnescapeDataString(p[0]), Value: Uri.UnescapeDataString(p.ElementAtOrDefault(1)?.Replace('+', ' ') ?? ""))).ToList();
        foreach (var (name, value) in given)
        {
            if (documented.TryGetValue(name, out var parameter))
            {
                problems.AddRange(_validator.Validate(parameter.GetProperty("schema"), QueryValue(parameter, value), strict: true)
                    .Select(p => $"query {name}: {p}"));
            }
            else if (!Deviations.IsCommonQuery(name) || operation.Method != "GET")
            {
                problems.Add($"query {name}: not documented");
            }
        }

        problems.AddRange(documented.Values.Where(p => p.TryGetProperty("required", out var r) && r.GetBoolean())
            .Select(p => p.GetProperty("name").GetString()!).Where(n => given.All(g => g.Name != n)).Select(n => $"query {n}: missing"));
    }

    private JsonElement QueryValue(JsonElement parameter, string value)
    {
        var schema = _validator.Resolve(parameter.GetProperty("schema"));
        var type = schema.TryGetProperty("type", out var t) ? t.GetString() : "string";
        if (type is "integer" && long.TryParse(value, out var number))
        {
            return JsonSerializer.SerializeToElement(number);
        }

        return type is "boolean" && bool.TryParse(value, out var flag) ? JsonSerializer.SerializeToElement(flag) : JsonSerializer.SerializeToElement(value);
    }

    private void CheckRequestBody(JsonElement requestBody, string? contentType, ReadOnlyMemory<byte> body, List<string> problems)
    {
        if (body.IsEmpty)
        {
            if (requestBody.TryGetProperty("required", out var required) && required.GetBoolean())
            {
                problems.Add("the body is missing");
            }

            return;
        }

        if (contentType is null || !contentType.Contains("json", StringComparison.Ordinal))
        {
            problems.Add($"the body is {contentType ?? "of no type"}, expected JSON");
        }

        if (Parse(body, problems) is { } value && requestBody.GetProperty("content").TryGetProperty("application/json", out var media))
        {
            problems.AddRange(_validator.Validate(media.GetProperty("schema"), value, strict: true));
        }
    }

    private List<string> ValidateContent(JsonElement response, string? contentType, ReadOnlyMemory<byte> body)
    {
        if (Deviations.IsTextMediaType(contentType))
        {
            return [];
        }

        if (!response.TryGetProperty("content", out var content))
        {
            // Some documented statuses name no body at all; an error body there is what GitHub sends too.
            return [];
        }

        var problems = new List<string>();
        if (!(contentType ?? "").StartsWith("application/json", StringComparison.Ordinal))
        {
            return [$"content type {contentType ?? "missing"}, expected application/json"];
        }

        if (Parse(body, problems) is { } value && content.TryGetProperty("application/json", out var media)
            && media.TryGetProperty("schema", out var schema))
        {
            problems.AddRange(_validator.Validate(schema, value, strict: false));
        }

        return problems;
    }

    private static List<string> ValidateError(string? contentType, ReadOnlyMemory<byte> body)
    {
        var problems = new List<string>();
        if (!(contentType ?? "").StartsWith("application/json", StringComparison.Ordinal))
        {
            return [$"content type {contentType ?? "missing"}, expected application/json"];
        }

        if (Parse(body, problems) is { } value
            && (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty("message", out _) || !value.TryGetProperty("documentation_url", out _)))
        {
            problems.Add("an error body has message and documentation_url");
        }

        return problems;
    }

    private static JsonElement? Parse(ReadOnlyMemory<byte> body, List<string> problems)
    {
        try
        {
            return JsonElement.Parse(body.Span);
        }
        catch (JsonException e)
        {
            problems.Add($"the body is no JSON: {e.Message}");
            return null;
        }
    }

    private IReadOnlyList<string> Report(string name, IReadOnlyList<string> problems)
    {
        foreach (var problem in problems)
        {
            _problems.Enqueue($"{name}: {problem}");
        }

        return problems;
    }

    private static (string Path, string Query) Split(string pathAndQuery)
    {
        var mark = pathAndQuery.IndexOf('?', StringComparison.Ordinal);
        return mark < 0 ? (pathAndQuery, "") : (pathAndQuery[..mark], pathAndQuery[(mark + 1)..]);
    }

    private static string Normalise(string path)
    {
        var bare = path.StartsWith("/api/v3", StringComparison.Ordinal) ? path["/api/v3".Length..] : path;
        return bare.Length > 1 ? bare.TrimEnd('/') : "/";
    }

    private static JsonElement LoadDocument()
    {
        using var packed = typeof(OpenApiGate).Assembly.GetManifestResourceStream("github-openapi-subset.json.gz")
            ?? throw new InvalidOperationException("The OpenAPI subset is not embedded.");
        using var stream = new GZipStream(packed, CompressionMode.Decompress);
        var document = JsonNode.Parse(stream)!.AsObject();
        foreach (var (path, item) in JsonNode.Parse(Deviations.MissingOperations)!.AsObject())
        {
            document["paths"]![path] = item!.DeepClone();
        }

        return JsonSerializer.SerializeToElement(document);
    }
}
