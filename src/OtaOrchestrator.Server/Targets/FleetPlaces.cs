using System.Collections.Concurrent;
using System.Security.Cryptography;
using Amazon.IoT;
using Microsoft.Extensions.Options;
using OtaOrchestrator.Aws.Clients;
using OtaOrchestrator.Aws.CloudFront;
using OtaOrchestrator.Aws.IoT;
using OtaOrchestrator.Aws.IoT.Adoption;
using OtaOrchestrator.Aws.S3;
using OtaOrchestrator.Core.Ports;
using OtaOrchestrator.Firmware.Updates;
using OtaOrchestrator.Protocol.V1;
using OtaOrchestrator.Server.Releases;

namespace OtaOrchestrator.Server.Targets;

/// <summary>Who speaks to a fleet's devices: the device plane in this process, or AWS IoT in a region.</summary>
/// <param name="Key">Two fleets with the same one are registered at the same place.</param>
/// <param name="Version">Where its devices say what they run.</param>
public sealed record FleetPlace(string Key, IAmazonIoT Iot, IotDevices Devices, IotFleet Target, VersionSource Version);

/// <summary>The place of each fleet, by what the environment says of it.</summary>
public sealed class FleetPlaces(IAmazonIoT embedded, IotFleet embeddedFleets, AwsClients aws, IOptions<AwsTargetsOptions> options, FirmwareStore store, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, FleetPlace> _places = new(StringComparer.Ordinal);

    /// <summary>A file that is not there is looked for again the next time.</summary>
    private readonly Lazy<RSA> _linkKey = new(() => LinkKey(options.Value.FirmwareLinkKeyFile), LazyThreadSafetyMode.PublicationOnly);

    public FleetPlace Of(FleetTarget fleet) => fleet.Aws is { } place
        ? _places.GetOrAdd($"{place.Region}/{place.FirmwareBucket}/{place.PresignRoleArn}/{place.VersionFrom}/{place.Edge}", key => On(key, place))
        : _places.GetOrAdd("", key => new FleetPlace(key, embedded, new IotDevices(embedded), embeddedFleets, VersionSource.Agent));

    /// <summary>What a device's document names the image by.</summary>
    public static string Link(FleetTarget fleet, string sha256) =>
        fleet.Aws is { } place ? UpdateDocument.Placeholder(sha256, FirmwareBucket.Address(place.Region, place.FirmwareBucket)) : UpdateDocument.Placeholder(sha256);

    private FleetPlace On(string key, AwsIotPlace place)
    {
        var iot = aws.IoT(place.Region);
        var bucket = new FirmwareBucket(aws.S3(place.Region), place.FirmwareBucket, store.File, time);
        var edge = place.Edge is { } handsOut ? new Aws.CloudFront.FirmwareEdge(aws.CloudFront(), handsOut.Distribution, new SignedLinks(handsOut.Domain, handsOut.KeyPairId, () => _linkKey.Value), time) : null;
        return new FleetPlace(key, iot, new IotDevices(iot), new IotFleet(iot, new IotFleetOptions { PresignRoleArn = place.PresignRoleArn, FirmwareBucket = place.FirmwareBucket }, time, bucket, edge), VersionSource.Parse(place.VersionFrom) ?? VersionSource.Agent);
    }

    private static RSA LinkKey(string? named)
    {
        var file = named ?? throw new TargetException("firmware is handed out by CloudFront, and there is no key to sign links with: set Aws__FirmwareLinkKeyFile");
        try
        {
            var key = RSA.Create();
            key.ImportFromPem(File.ReadAllText(file));
            return key;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or ArgumentException or CryptographicException)
        {
            throw new TargetException($"{file} is no private RSA key in PEM: {unreadable.Message}", unreadable);
        }
    }
}
