using Drella.Core.Sandboxes;
using Microsoft.AspNetCore.Http;

namespace Drella.Gateway.Doors;

/// <summary>Answers one HTTP request that came through a sandbox's socket. Nobody is admitted when <paramref name="current"/> gives null.</summary>
internal delegate Task HttpDoor(HttpContext context, SandboxName sandbox, Func<Admission?> current);

/// <summary>Serves one raw connection that came through a sandbox's socket.</summary>
internal delegate Task StreamDoor(Stream connection, Func<Admission?> current, SandboxName sandbox, CancellationToken cancellationToken);

/// <summary>The model door, which tells when bytes passed.</summary>
internal delegate Task ModelDoorway(HttpContext context, SandboxName sandbox, Func<Admission?> current, Action beat);

/// <summary>What stands behind the three sockets.</summary>
internal sealed record DoorSet(ModelDoorway Model, StreamDoor Egress, HttpDoor Tools);
