namespace OtaOrchestrator.Aws.IoT.Adoption;

/// <summary>A fleet as an account has it, read and not changed.</summary>
/// <param name="Devices">That the query finds.</param>
/// <param name="Versions">Devices by what they run, the most frequent first; at most 100.</param>
/// <param name="Unknown">Devices that do not say what they run.</param>
/// <param name="Sampled">Devices that were asked one by one, where the index does not know; 0 where it does.</param>
public sealed record FleetInventory(long Devices, long Connected, IReadOnlyDictionary<string, long> Versions, long Unknown, long Sampled)
{
    /// <summary>What driving the fleet would change in the account, in order.</summary>
    public IReadOnlyList<PlannedCall> Calls { get; init; } = [];

    public IReadOnlyList<InventoryFinding> Findings { get; init; } = [];
}

/// <param name="Operation">Of AWS IoT, for example <c>CreateThingGroup</c>.</param>
/// <param name="Count">How often.</param>
/// <param name="Example">One of them, for people.</param>
public sealed record PlannedCall(string Operation, long Count, string Example);

/// <param name="Code">For scripts, for example <c>INDEX_OFF</c>.</param>
/// <param name="Blocks">The fleet can't be driven until it is mended.</param>
/// <param name="Remedy">What to do; empty where nothing has to be done.</param>
public sealed record InventoryFinding(string Code, bool Blocks, string Text, string Remedy);
