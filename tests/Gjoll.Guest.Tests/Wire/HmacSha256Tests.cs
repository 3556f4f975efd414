using System.Security.Cryptography;
using Gjoll.Wire;

namespace Gjoll.Guest.Tests.Wire;

public sealed class HmacSha256Tests
{
    [Fact]
    public void Compute_AgreesWithTheFrameworkForAllLengths()
    {
        for (var key = 0; key < 140; key += 7)
        {
            for (var length = 0; length < 200; length++)
            {
                var secret = Enumerable.Range(0, key).Select(number => (byte)(number * 31)).ToArray();
                var message = Enumerable.Range(0, length).Select(number => (byte)(number * 17)).ToArray();

                Assert.Equal(HMACSHA256.HashData(secret, message), HmacSha256.Compute(secret, message));
            }
        }
    }
}
