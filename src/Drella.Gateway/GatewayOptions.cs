using Drella.Gateway.Doors;
using Drella.Gateway.Models;
using Drella.Gateway.Tools;
using Gjoll.Egress;

namespace Drella.Gateway;

/// <summary>The options of all doors.</summary>
public sealed record GatewayOptions(GatehouseOptions Doors, ModelOptions Models, EgressOptions Egress, ToolsOptions Tools);
