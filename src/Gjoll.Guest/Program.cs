using Gjoll.Guest;
using Gjoll.Guest.Kernel;
using Gjoll.Guest.Links;
using Gjoll.Guest.Machine;
using Gjoll.Guest.Programs;

const string Usage = "usage: gjoll-guest serve (--connect SOCKET | --stdio | --device PATH) --key FILE | gjoll-guest relay SOCKET\n";
if (Libc.getpid() == 1 && args is not ["serve", ..])
{
    return Boot.Run();
}

var log = new Log(2);
StandardDescriptors.Open();
if (args is ["relay", { Length: > 0 } meeting])
{
    try
    {
        Relay.Run(meeting);
        return 0;
    }
    catch (SystemCallException failed)
    {
        log.Write(failed.Message);
        return 1;
    }
}

if (Serving.Parse(args) is not { } serving)
{
    log.Write(Usage);
    return 2;
}

if (KeyFile.Read(serving.KeyFile) is not { } key)
{
    log.Write("the key cannot be read");
    return 1;
}

SignalMask.Block();
Subreaper.Become();
try
{
    Agent.Run(serving.Place, key, cgroups: null, log, (loop, programs) => new SharedMachine(new Ending(loop, programs, loop.Stop)));
    return 0;
}
catch (SystemCallException failed)
{
    log.Write(failed.Message);
    return 1;
}
