namespace OtaOrchestrator.Server.Store;

/// <summary>The disk has no room left. What is stored stays; only rollbacks are still taken.</summary>
public sealed class StoreFullException : Exception
{
    public StoreFullException() : base("the store's disk is full") { }
    public StoreFullException(string message) : base(message) { }
    public StoreFullException(string message, Exception inner) : base(message, inner) { }
}

/// <summary>Somebody else was faster; nothing was written.</summary>
public sealed class LostRaceException : Exception
{
    public LostRaceException() : base("the rollout has moved on") { }
    public LostRaceException(string message) : base(message) { }
    public LostRaceException(string message, Exception inner) : base(message, inner) { }
}
