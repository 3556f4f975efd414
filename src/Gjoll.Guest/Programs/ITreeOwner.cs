namespace Gjoll.Guest.Programs;

internal interface ITreeOwner
{
    /// <summary>The program runs, under this number.</summary>
    void Started(int processId);

    /// <summary>The program itself ended; descendants may live on.</summary>
    /// <param name="status">As <c>wait</c> gives it.</param>
    void Exited(int status);

    /// <summary>No process of it is left.</summary>
    void TreeGone();
}
