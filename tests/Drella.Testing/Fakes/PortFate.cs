namespace Drella.Testing.Fakes;

/// <summary>What becomes of one call of a port.</summary>
public enum PortFate
{
    /// <summary>Done and answered.</summary>
    Answered,

    /// <summary>Fails before anything was done.</summary>
    FailsBefore,

    /// <summary>Done, but the answer is an error: a 502 after the commit.</summary>
    FailsAfter,

    /// <summary>Refused for good: a retry as it stands will not help.</summary>
    Refused,

    /// <summary>The daemon dies before anything was done.</summary>
    DiesBefore,

    /// <summary>Done, and the daemon dies before it hears of it.</summary>
    DiesAfter,
}
