namespace OtaOrchestrator.Core.Plans;

/// <summary>A release as people write it: <c>thermostat-fw@2.4.0</c>.</summary>
public readonly record struct ReleaseName(string Name, string Version)
{
    /// <summary>Null for what is not <c>name@version</c>.</summary>
    public static ReleaseName? Parse(string? text)
    {
        if (text is null || text.Length > 160 || text.Split('@') is not [var name, var version])
        {
            return null;
        }
        return Names.IsValid(name) && ReleaseVersion.IsValid(version) ? new ReleaseName(name, version) : null;
    }

    public override string ToString() => $"{Name}@{Version}";
}
