using Drella.Core.Jobs;

namespace Drella.Web.Tests;

/// <summary>An entry of any kind, its members filled by their types.</summary>
internal static class Samples
{
    public static JobEntry Of(Type kind)
    {
        var constructor = kind.GetConstructors().Single(candidate => candidate.GetParameters() is not [var only] || only.ParameterType != kind);
        return (JobEntry)constructor.Invoke([.. constructor.GetParameters().Select(parameter => Value(parameter.ParameterType))]);
    }

    private static object? Value(Type type)
    {
        if (type == typeof(string))
        {
            return "text";
        }

        if (type == typeof(JobRequest))
        {
            return Some.Request();
        }

        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>))
        {
            return Array.CreateInstance(type.GetGenericArguments()[0], 0);
        }

        return Activator.CreateInstance(type);
    }
}
