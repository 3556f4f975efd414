using Gjoll.Guest.Kernel;
using Gjoll.Wire;

namespace Gjoll.Guest.Programs;

/// <summary>
/// Both sides of a program's standard streams while it is started. Pipes and no sockets, so that <c>/dev/stdout</c> can be opened anew; and the program's
/// user owns them, for the same reason.
/// </summary>
internal sealed unsafe class Ends : IDisposable
{
    private const uint TerminalGroup = 5;

    private int _childInput = -1;
    private int _childOutput = -1;
    private int _childError = -1;
    private int _input = -1;
    private int _output = -1;
    private int _error = -1;

    public int ChildInput => _childInput;

    public int ChildOutput => _childOutput;

    public int ChildError => _childError;

    public void Make(ExecRequest request, GuestUser? user)
    {
        if (request.Terminal is { } size)
        {
            MakeTerminal(size, user);
            return;
        }

        if (request.OpenInput)
        {
            (_childInput, _input) = Descriptors.Pipe();
            Own(_childInput, user);
            Descriptors.MakeNonBlocking(_input);
        }
        else
        {
            _childInput = Descriptors.Open("/dev/null", Libc.O_RDONLY);
        }

        (_output, _childOutput) = Descriptors.Pipe();
        (_error, _childError) = Descriptors.Pipe();
        Own(_childOutput, user);
        Own(_childError, user);
        Descriptors.MakeNonBlocking(_output);
        Descriptors.MakeNonBlocking(_error);
    }

    /// <summary>The agent's side, which is the caller's now.</summary>
    public (int Input, int Output, int Error) Release()
    {
        var released = (_input, _output, _error);
        (_input, _output, _error) = (-1, -1, -1);
        return released;
    }

    public void Dispose()
    {
        if (_childOutput == _childInput)
        {
            _childOutput = -1;
            _childError = -1;
        }

        if (_output == _input)
        {
            _output = -1;
        }

        Descriptors.Close(ref _childInput);
        Descriptors.Close(ref _childOutput);
        Descriptors.Close(ref _childError);
        Descriptors.Close(ref _input);
        Descriptors.Close(ref _output);
        Descriptors.Close(ref _error);
    }

    private static void Own(int descriptor, GuestUser? user)
    {
        if (user is not null)
        {
            _ = Libc.fchown(descriptor, user.Id, user.Group);
        }
    }

    private void MakeTerminal(TerminalSize size, GuestUser? user)
    {
        _input = Descriptors.Open("/dev/ptmx", Libc.O_RDWR | Libc.O_NOCTTY | Libc.O_NONBLOCK);
        _output = _input;
        var locked = 0;
        if (Libc.ioctl(_input, Libc.TIOCSPTLCK, &locked) != 0)
        {
            throw new SystemCallException("unlock a terminal", Errno.Last);
        }

        _childInput = Libc.ioctl_number(_input, Libc.TIOCGPTPEER, Libc.O_RDWR | Libc.O_NOCTTY | Libc.O_CLOEXEC);
        if (_childInput < 0)
        {
            throw new SystemCallException("open a terminal", Errno.Last);
        }

        _childOutput = _childInput;
        _childError = _childInput;
        Resize(_input, size.Columns, size.Rows);
        if (user is not null)
        {
            _ = Libc.fchown(_childInput, user.Id, TerminalGroup);
            _ = Libc.fchmod(_childInput, 0x190);
        }
    }

    public static void Resize(int terminal, ushort columns, ushort rows)
    {
        var size = stackalloc ushort[] { rows, columns, 0, 0 };
        _ = Libc.ioctl(terminal, Libc.TIOCSWINSZ, size);
    }
}
