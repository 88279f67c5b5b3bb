namespace OtaOrchestrator.Aws.IoT;

/// <summary>What still offers devices something.</summary>
/// <param name="Jobs">Ids of jobs that are in progress.</param>
/// <param name="Coming">Updates whose jobs AWS has not made yet. Nothing takes these back before they are there.</param>
internal sealed record Offers(IReadOnlyList<string> Jobs, int Coming)
{
    public bool None => Jobs.Count == 0 && Coming == 0;

    public string Say(string what) => Jobs.Count == 0 && Coming > 0 ? $"AWS IoT is still making {Coming} updates that will offer {what}" : $"{Jobs.Count + Coming} jobs still offer {what}";
}
