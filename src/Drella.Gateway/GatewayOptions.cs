using Drella.Gateway.Doors;
using Drella.Gateway.Egress;
using Drella.Gateway.Models;
using Drella.Gateway.Tools;

namespace Drella.Gateway;

/// <summary>The options of all doors.</summary>
public sealed record GatewayOptions(GatehouseOptions Doors, ModelOptions Models, EgressOptions Egress, ToolsOptions Tools);
