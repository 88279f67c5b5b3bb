using System.Collections;

namespace Amazon.Runtime.StandIn;

/// <summary>When a collection counts as set: with <see cref="AWSConfigs.InitializeCollections"/> an empty one does not.</summary>
internal static class Collections
{
    public static bool IsSet(ICollection? collection) =>
        collection is not null && (collection.Count > 0 || !AWSConfigs.InitializeCollections);
}
