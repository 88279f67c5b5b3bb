namespace OtaOrchestrator.Agent.Slots;

public enum SlotName { A, B }

/// <summary>What a slot holds, as it was verified when it was written.</summary>
/// <param name="Sha256">Of the exact image file, 64 lower-case hex digits.</param>
/// <param name="Release">For example <c>thermostat-fw@2.4.0</c>.</param>
/// <param name="Size">Bytes.</param>
public sealed record SlotContent(string Sha256, string Release, string Version, long SecurityCounter, long Size)
{
    public string Digest => "sha256:" + Sha256;
}
