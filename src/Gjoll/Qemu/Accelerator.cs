using System.Text.Json.Serialization;

namespace Gjoll.Qemu;

/// <summary>What runs the guest's instructions.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Accelerator>))]
public enum Accelerator
{
    /// <summary>The processor itself.</summary>
    Kvm,

    /// <summary>QEMU's translator: works everywhere, ten to thirty times slower.</summary>
    Tcg,
}
