namespace OtaOrchestrator.DevicePlane;

/// <summary>The names that the control plane gives to things, groups and jobs.</summary>
internal sealed class Arn(string region, string account)
{
    private readonly string _prefix = $"arn:aws:iot:{region}:{account}:";

    public string Thing(string name) => $"{_prefix}thing/{name}";

    public string Group(string name) => $"{_prefix}thinggroup/{name}";

    public string Job(string id) => $"{_prefix}job/{id}";

    public string OtaUpdate(string id) => $"{_prefix}otaupdate/{id}";

    public string Certificate(string id) => $"{_prefix}cert/{id}";

    public string Index(string name) => $"{_prefix}index/{name}";

    public bool TryGroup(string arn, out string name) => TryParse(arn, "thinggroup/", out name);

    public bool TryThing(string arn, out string name) => TryParse(arn, "thing/", out name);

    private bool TryParse(string arn, string kind, out string name)
    {
        name = "";
        if (!arn.StartsWith(_prefix, StringComparison.Ordinal) || !arn.AsSpan(_prefix.Length).StartsWith(kind, StringComparison.Ordinal))
        {
            return false;
        }

        name = arn[(_prefix.Length + kind.Length)..];
        return true;
    }
}
