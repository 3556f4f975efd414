namespace Gjoll.Hosts;

/// <summary>A file, and the state of its content, as the kernel accounts for them. Times are nanoseconds.</summary>
internal sealed record FileIdentity(long Device, long Inode, long Size, long Modified, long Changed);
