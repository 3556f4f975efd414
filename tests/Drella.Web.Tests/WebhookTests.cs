using System.Net;
using System.Text;

namespace Drella.Web.Tests;

public sealed class WebhookTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Webhook_WakesOnceWhenADeliveryComesTwice()
    {
        await using var house = await WebHouse.OpenAsync();
        var body = "{\"action\":\"opened\"}"u8.ToArray();

        Assert.Equal(HttpStatusCode.Accepted, await SendAsync(house, body, WebHouse.Sign(body), "d1"));
        Assert.Equal(HttpStatusCode.Accepted, await SendAsync(house, body, WebHouse.Sign(body), "d1"));
        Assert.Equal(1, house.Nudges);
        Assert.Equal(HttpStatusCode.Accepted, await SendAsync(house, body, WebHouse.Sign(body), "d2"));
        Assert.Equal(2, house.Nudges);
    }

    [Fact]
    public async Task Webhook_RefusesWhenTheSignatureIsNotOverTheseBytes()
    {
        await using var house = await WebHouse.OpenAsync();
        var body = "{\"a\":1}"u8.ToArray();

        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(house, "{\"a\": 1}"u8.ToArray(), WebHouse.Sign(body), "d1"));
        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(house, body, null, "d1"));
        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(house, body, "", "d1"));
        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(house, body, WebHouse.Sign(body)[..^1], "d1"));
        Assert.Equal(0, house.Nudges);

        // A refused delivery does not use up its id.
        Assert.Equal(HttpStatusCode.Accepted, await SendAsync(house, body, WebHouse.Sign(body), "d1"));
        Assert.Equal(1, house.Nudges);
    }

    [Fact]
    public async Task Webhook_TakesAnyBytesAndNoMoreThanItsCap()
    {
        await using var house = await WebHouse.OpenAsync();
        byte[] odd = [0, 0xFF, 0xFE, (byte)'\n'];
        var large = new byte[(1 << 20) + 1];

        Assert.Equal(HttpStatusCode.Accepted, await SendAsync(house, odd, WebHouse.Sign(odd), "d1"));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, await SendAsync(house, large, WebHouse.Sign(large), "d2"));
        Assert.Equal(1, house.Nudges);
    }

    [Fact]
    public async Task Webhook_ForgetsTheOldestDeliveriesOnly()
    {
        await using var house = await WebHouse.OpenAsync();
        var body = Encoding.UTF8.GetBytes("{}");
        for (var i = 0; i <= 4096; i++)
        {
            await SendAsync(house, body, WebHouse.Sign(body), $"d{i}");
        }

        await SendAsync(house, body, WebHouse.Sign(body), "d4096");
        Assert.Equal(4097, house.Nudges);
        await SendAsync(house, body, WebHouse.Sign(body), "d0");
        Assert.Equal(4098, house.Nudges);
    }

    private static async Task<HttpStatusCode> SendAsync(WebHouse house, byte[] body, string? signature, string delivery)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/webhook") { Content = new ByteArrayContent(body) };
        request.Headers.TryAddWithoutValidation("X-Delivery", delivery);
        if (signature is not null)
        {
            request.Headers.TryAddWithoutValidation("X-Signature", signature);
        }

        using var answer = await house.Stranger.SendAsync(request, Cancellation);
        return answer.StatusCode;
    }
}
