using System.Text;
using Gjoll.Wire;

namespace Gjoll.Tests.Wardens;

/// <summary>
/// Programs of a fake guest, enough to see a warden and its clients at work: <c>cat</c> gives its input back, <c>count N</c> gives N bytes of a pattern and
/// exits with 3, <c>hang</c> does nothing. Kept ones outlive their link, and their output is held until it is acknowledged.
/// </summary>
internal sealed class FakePrograms
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Program> _kept = [];
    private readonly Dictionary<(FakeLink, uint), Program> _open = [];

    public static byte Pattern(long offset) => (byte)((offset * 31) + (offset >> 9));

    /// <summary>What the link handed over that was not about programs.</summary>
    public List<FrameKind> Other { get; } = [];

    public void Receive(FakeLink link, Frame frame)
    {
        lock (_gate)
        {
            if (frame.Kind == FrameKind.Request)
            {
                Ask(link, frame);
            }
            else if (_open.TryGetValue((link, frame.Channel), out var program))
            {
                program.Receive(frame);
                if (frame.Kind == FrameKind.Close)
                {
                    _open.Remove((link, frame.Channel));
                    program.Link = null;
                    if (program.HasExited)
                    {
                        _kept.Remove(program.Id);
                    }
                }
            }
            else
            {
                Other.Add(frame.Kind);
            }
        }
    }

    private void Ask(FakeLink link, in Frame frame)
    {
        switch (WireJson.ReadRequest(frame))
        {
            case ExecRequest exec:
                Begin(link, frame.Channel, new Program(exec), new WireResponse { ProcessId = 42, InputReceived = 0 });
                break;
            case AttachRequest attach when _kept.TryGetValue(attach.Id, out var program):
                program.Link?.Sender.TryAdd(FrameKind.Close, 0, program.Channel, []);
                _open.Remove((program.Link!, program.Channel));
                program.Rewind((long)attach.Output);
                Begin(link, frame.Channel, program, new WireResponse { ProcessId = 42, InputReceived = (ulong)program.Taken });
                break;
            case AttachRequest:
                link.Sender.TryAdd(WireJson.Failure(frame.Channel, FailureCode.NotFound, "no such program"));
                break;
            case ProgramsRequest:
                link.Sender.TryAdd(WireJson.Response(frame.Channel, new WireResponse { Programs = [.. _kept.Values.Select(program => new ProgramState(program.Id, 42, program.HasExited ? 3 : null, null))] }));
                break;
            case HealthRequest:
                link.Sender.TryAdd(WireJson.Response(frame.Channel, new WireResponse { Health = new Wire.GuestHealth("fake", "boot", 1, 2, 3, _open.Count) }));
                break;
            default:
                link.Sender.TryAdd(WireJson.Failure(frame.Channel, FailureCode.Invalid, "not in this guest"));
                break;
        }
    }

    private void Begin(FakeLink link, uint channel, Program program, WireResponse answer)
    {
        (program.Link, program.Channel) = (link, channel);
        _open[(link, channel)] = program;
        if (program.IsKept)
        {
            _kept[program.Id] = program;
        }

        link.Sender.TryAdd(WireJson.Response(channel, answer));
        program.Advance();
    }

    private sealed class Program(ExecRequest exec)
    {
        private readonly long _total = exec.Command[0] switch
        {
            "count" => long.Parse(exec.Command[1], System.Globalization.CultureInfo.InvariantCulture),
            "say" => Encoding.UTF8.GetByteCount(exec.Command[1]),
            _ => long.MaxValue,
        };

        private readonly List<byte> _echo = [];
        private long _sent;
        private long _acknowledged;
        private bool _inputEnded;
        private bool _told;

        public string Id => exec.Id;

        public bool IsKept => exec.Keep;

        public bool HasExited { get; private set; }

        public long Taken { get; private set; }

        public FakeLink? Link { get; set; }

        public uint Channel { get; set; }

        public void Rewind(long offset)
        {
            _sent = offset;
            _told = false;
        }

        public void Receive(in Frame frame)
        {
            switch (frame.Kind)
            {
                case FrameKind.Data:
                    var (offset, bytes) = FramePayload.Data(frame);
                    Assert.Equal(Taken, (long)offset);
                    Taken += bytes.Length;
                    _echo.AddRange(bytes.Span);
                    Link!.Sender.TryAdd(FrameWriter.Mark(FrameKind.Ack, Channel, WireStream.Input, (ulong)Taken));
                    break;
                case FrameKind.End:
                    _inputEnded = true;
                    break;
                case FrameKind.Ack when frame.Stream == WireStream.Output:
                    _acknowledged = Math.Max(_acknowledged, (long)FramePayload.Offset(frame));
                    break;
                case FrameKind.Signal:
                    HasExited = true;
                    break;
            }

            Advance();
        }

        public void Advance()
        {
            if (Link is not { } link)
            {
                return;
            }

            var isCat = exec.Command[0] == "cat";
            var end = isCat ? _echo.Count : exec.Command[0] == "hang" ? 0 : _total;
            while (_sent < end && _sent < _acknowledged + WireLimits.Window)
            {
                var bytes = new byte[Math.Min(Math.Min(end, _acknowledged + WireLimits.Window) - _sent, WireLimits.MaxData)];
                for (var index = 0; index < bytes.Length; index++)
                {
                    bytes[index] = exec.Command[0] switch
                    {
                        "cat" => _echo[(int)_sent + index],
                        "say" => Encoding.UTF8.GetBytes(exec.Command[1])[(int)_sent + index],
                        _ => Pattern(_sent + index),
                    };
                }

                link.Sender.TryAddData(WireStream.Output, Channel, (ulong)_sent, bytes);
                _sent += bytes.Length;
            }

            HasExited |= exec.Command[0] is "count" or "say" ? _sent == _total : isCat && _inputEnded && _sent == _echo.Count;
            if (HasExited && !_told)
            {
                _told = true;
                link.Sender.TryAdd(FrameWriter.Mark(FrameKind.End, Channel, WireStream.Output, (ulong)_sent));
                link.Sender.TryAdd(FrameWriter.Mark(FrameKind.End, Channel, WireStream.Error, 0));
                link.Sender.TryAdd(FrameKind.Exited, 0, Channel, FramePayload.Exited(3, ExitReason.Exited));
            }
        }
    }
}
