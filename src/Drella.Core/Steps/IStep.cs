using Drella.Core.Jobs;

namespace Drella.Core.Steps;

/// <summary>
/// One idempotent stage. It may be run again after any failure or crash, also one in its middle: it looks before it creates.
/// Work that is bad is an outcome; a world that failed is a <see cref="DriverException"/>.
/// </summary>
internal interface IStep
{
    StepName Name { get; }

    Task<StepOutcome> RunAsync(LiveJob live, CancellationToken cancellationToken);
}
