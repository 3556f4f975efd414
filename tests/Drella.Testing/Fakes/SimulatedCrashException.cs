namespace Drella.Testing.Fakes;

/// <summary>Stands for the end of the process: nothing that catches failures of the world may catch it.</summary>
public sealed class SimulatedCrashException(string message) : Exception(message);
