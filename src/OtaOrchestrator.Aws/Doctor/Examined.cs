namespace OtaOrchestrator.Aws.Doctor;

/// <summary>A target whose account is looked at.</summary>
/// <param name="Name">In plans.</param>
/// <param name="Region">Empty for the region of the SDK's chain.</param>
public abstract record Examined(string Name, string Region)
{
    /// <summary>The shipped policy that the server needs for it.</summary>
    internal abstract string Policy { get; }

    /// <summary>What is filled in there, beside partition, region and account.</summary>
    internal abstract IEnumerable<KeyValuePair<string, string>> Values { get; }

    private protected static KeyValuePair<string, string> Value(string name, string value) => new(name, value);
}

/// <param name="Function">Name or ARN.</param>
public sealed record ExaminedAlias(string Name, string Region, string Function, string Alias) : Examined(Name, Region)
{
    private const string BeforeName = ":function:";

    internal override string Policy => "lambda";

    internal override IEnumerable<KeyValuePair<string, string>> Values =>
        [Value("function", Function.IndexOf(BeforeName, StringComparison.Ordinal) is >= 0 and var at ? Function[(at + BeforeName.Length)..].Split(':')[0] : Function)];
}

public sealed record ExaminedGroup(string Name, string Region, string Application, string DeploymentGroup) : Examined(Name, Region)
{
    internal override string Policy => "codedeploy";

    internal override IEnumerable<KeyValuePair<string, string>> Values => [Value("application", Application), Value("deployment_group", DeploymentGroup)];
}

public sealed record ExaminedStage(string Name, string Region, string RestApi, string Stage) : Examined(Name, Region)
{
    internal override string Policy => "apigateway";

    internal override IEnumerable<KeyValuePair<string, string>> Values => [Value("rest_api", RestApi), Value("stage", Stage)];
}

public sealed record ExaminedDistribution(string Name, string Distribution) : Examined(Name, "")
{
    internal override string Policy => "cloudfront";

    internal override IEnumerable<KeyValuePair<string, string>> Values => [];
}

/// <param name="MakesUpdates">Whether AWS IoT makes OTA updates for it in the name of the presign role.</param>
public sealed record ExaminedFleet(string Name, string Region, string Fleet, string FirmwareBucket, string PresignRoleArn, bool MakesUpdates = false) : Examined(Name, Region)
{
    internal override string Policy => "iot-fleet";

    internal override IEnumerable<KeyValuePair<string, string>> Values => [Value("fleet", Fleet), Value("firmware_bucket", FirmwareBucket), Value("presign_role_arn", PresignRoleArn)];
}

/// <summary>What hands a fleet's firmware out.</summary>
public sealed record ExaminedFirmwareEdge(string Name, string Distribution) : Examined(Name, "")
{
    internal override string Policy => "firmware-edge";

    internal override IEnumerable<KeyValuePair<string, string>> Values => [Value("firmware_distribution", Distribution)];
}
