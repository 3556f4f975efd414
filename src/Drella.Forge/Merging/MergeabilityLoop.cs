using System.Threading.Channels;
using Dapper;
using Drella.Forge.Git;
using Drella.Forge.Storage;
using Microsoft.Extensions.Logging;

namespace Drella.Forge.Merging;

/// <summary>Finds out in the background whether pull requests merge cleanly. Until it has, clients read null, as on GitHub.</summary>
internal sealed partial class MergeabilityLoop(Database database, RepositoryFolder folder, ILogger<MergeabilityLoop> logger)
{
    private readonly Channel<long> _asked = Channel.CreateBounded<long>(new BoundedChannelOptions(1000) { FullMode = BoundedChannelFullMode.DropWrite });

    public static string Key(PullRow pull) => pull.BaseSha + pull.HeadSha;

    public void Ask(long pullId) => _asked.Writer.TryWrite(pullId);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await foreach (var id in _asked.Reader.ReadAllAsync(cancellationToken))
        {
            if (database.Read(db => db.FindPullById(id)) is { IsOpen: true } pull && pull.MergeableKey != Key(pull))
            {
                await ComputeAsync(pull, cancellationToken);
            }
        }
    }

    private async Task ComputeAsync(PullRow pull, CancellationToken cancellationToken)
    {
        try
        {
            var merge = await folder.Open(pull.RepoId).MergeTreeAsync(pull.BaseSha, pull.HeadSha, cancellationToken);
            database.Write(db => db.Execute(
                "UPDATE Pulls SET Mergeable = @mergeable, MergeableKey = @key WHERE Id = @Id", new { pull.Id, mergeable = merge.IsClean, key = Key(pull) }));
        }
        catch (GitFailure e)
        {
            LogFailed(e, pull.Number);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Mergeability of pull request {Number} is unknown")]
    private partial void LogFailed(Exception exception, int number);
}
