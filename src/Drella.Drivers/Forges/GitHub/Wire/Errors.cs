using System.Text.Json;

namespace Drella.Drivers.Forges.GitHub.Wire;

/// <summary>The error shape; entries of <see cref="Errors"/> are objects or plain text.</summary>
internal sealed record WireError(string? Message, JsonElement? Errors);
