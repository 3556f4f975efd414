using System.Net.Sockets;

namespace Drella.Daemon;

/// <summary>Turns an address that cannot be listened on into a sentence with its key.</summary>
internal static class Listening
{
    public static async Task<T> OnAsync<T>(string key, string address, Func<Task<T>> start)
    {
        try
        {
            return await start();
        }
        catch (Exception error) when (Reason(error) is { } reason)
        {
            throw new StartFailure($"{key}: {address} cannot be listened on ({reason}); end the program that uses it, or name another address");
        }
    }

    // Kestrel wraps "in use" in an IOException and lets the others through as the socket gave them.
    private static string? Reason(Exception error) => (error as SocketException ?? error.InnerException as SocketException ?? error.InnerException?.InnerException as SocketException)?.Message;
}
