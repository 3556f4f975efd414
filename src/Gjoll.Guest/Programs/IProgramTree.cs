namespace Gjoll.Guest.Programs;

/// <summary>A program and all that descends from it, as one thing that can be ended.</summary>
internal interface IProgramTree
{
    /// <summary>No process of it is left, and nothing of it in the agent.</summary>
    bool IsGone { get; }

    void Signal(int number, bool toAll);

    /// <summary>Kills until none is left, over time where it must.</summary>
    void Kill();
}
