using Drella.Gateway.Tests.Models;

namespace Drella.Gateway.Tests.Doors;

public sealed class GatehouseTests
{
    [Fact]
    public async Task Open_ReplacesWhatAKilledDaemonLeftAndCloseRemovesIt()
    {
        await using var provider = await Provider.StreamingAsync();
        await using var house = await House.OpenAsync(provider.Upstream);
        var stop = TestContext.Current.CancellationToken;
        Assert.Equal(house.Sockets, await house.Gatehouse.OpenAsync(House.Name, stop));
        var folder = Path.GetDirectoryName(house.Sockets.ModelSocket)!;
        if (OperatingSystem.IsWindows())
        {
            throw new PlatformNotSupportedException();
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));

        await house.Gatehouse.CloseAsync(House.Name, stop);
        Assert.False(Directory.Exists(folder));
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(house.Sockets.ModelSocket, "stale", stop);

        await house.Gatehouse.OpenAsync(House.Name, stop);
        using var client = House.Client(house.Sockets.ModelSocket);
        using var answer = await client.GetAsync(new Uri("/v1/messages", UriKind.Relative), stop);
        Assert.Equal(401, (int)answer.StatusCode);
        await house.Gatehouse.CloseAsync(House.Name, stop);
        await house.Gatehouse.CloseAsync(House.Name, stop);
    }
}
