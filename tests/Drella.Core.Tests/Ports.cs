using System.Reflection;

namespace Drella.Core.Tests;

/// <summary>
/// A port of which only the named members may be called; any other call fails the test. For ports so wide that a fake of the whole would hide
/// what the subject uses.
/// </summary>
public class Ports : DispatchProxy
{
    private Dictionary<string, Func<object?[], object>> answers = [];

    public static T Of<T>(params (string Member, Func<object?[], object> Answer)[] answers)
        where T : class
    {
        var port = Create<T, Ports>();
        ((Ports)(object)port).answers = answers.ToDictionary(answer => answer.Member, answer => answer.Answer);
        return port;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => answers.TryGetValue(targetMethod!.Name, out var answer)
        ? answer(args ?? [])
        : throw new InvalidOperationException($"{targetMethod.DeclaringType!.Name}.{targetMethod.Name} was not to be called");
}
