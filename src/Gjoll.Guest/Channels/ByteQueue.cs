namespace Gjoll.Guest.Channels;

/// <summary>Bytes of a stream between two absolute offsets, at most <paramref name="capacity"/> of them.</summary>
internal sealed unsafe class ByteQueue(Segments segments, int capacity)
{
    private readonly Queue<nint> _segments = new();
    private nint _last;
    private int _head;
    private int _tail = Segments.Size;

    /// <summary>The offset of the first byte that is held.</summary>
    public ulong Start { get; private set; }

    /// <summary>The offset behind the last.</summary>
    public ulong End { get; private set; }

    public int Length => (int)(End - Start);

    public bool HasRoom => Length < capacity && (_tail < Segments.Size || segments.MayTake(_segments.Count == 0));

    /// <summary>Room for the next bytes in one piece; empty when the window or the memory is full. <see cref="Commit"/> says how many came.</summary>
    public Span<byte> Room() => Room(isPromised: false);

    private Span<byte> Room(bool isPromised)
    {
        var window = capacity - Length;
        if (window <= 0)
        {
            return default;
        }

        if (_tail == Segments.Size)
        {
            if (!isPromised && !segments.MayTake(_segments.Count == 0))
            {
                return default;
            }

            _last = segments.Take();
            _segments.Enqueue(_last);
            if (_segments.Count == 1)
            {
                _head = 0;
            }

            _tail = 0;
        }

        return new Span<byte>((byte*)_last + _tail, Math.Min(window, Segments.Size - _tail));
    }

    public void Commit(int count)
    {
        _tail += count;
        End += (ulong)count;
        if (Length == 0)
        {
            Release();
        }
    }

    /// <summary>Bytes that the window has place for, whatever the budget says.</summary>
    public void AppendAll(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var room = Room(isPromised: true);
            var count = Math.Min(room.Length, bytes.Length);
            bytes[..count].CopyTo(room);
            Commit(count);
            bytes = bytes[count..];
        }
    }

    /// <summary>The longest piece that starts at an offset that is held.</summary>
    public ReadOnlySpan<byte> Peek(ulong offset)
    {
        var at = _head + (int)(offset - Start);
        foreach (var segment in _segments)
        {
            if (at < Segments.Size)
            {
                var end = segment == _last ? _tail : Segments.Size;
                return new ReadOnlySpan<byte>((byte*)segment + at, end - at);
            }

            at -= Segments.Size;
        }

        return default;
    }

    /// <summary>Forgets what lies before an offset within what is held.</summary>
    public void DropTo(ulong offset)
    {
        _head += (int)(offset - Start);
        Start = offset;
        while (_head >= Segments.Size)
        {
            _head -= Segments.Size;
            segments.Return(_segments.Dequeue());
            if (_segments.Count == 0)
            {
                _tail = Segments.Size;
            }
        }

        if (Length == 0)
        {
            Release();
        }
    }

    /// <summary>Counts bytes that went past without being held. Only while none is held.</summary>
    public void Skip(int count)
    {
        End += (ulong)count;
        Start = End;
    }

    /// <summary>Gives the memory back; the offsets stay as if all were consumed.</summary>
    public void Clear()
    {
        Start = End;
        Release();
    }

    private void Release()
    {
        while (_segments.TryDequeue(out var segment))
        {
            segments.Return(segment);
        }

        _head = 0;
        _tail = Segments.Size;
        _last = 0;
    }
}
