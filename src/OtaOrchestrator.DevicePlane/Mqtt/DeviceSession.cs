using MQTTnet;
using MQTTnet.Protocol;
using MQTTnet.Server;
using OtaOrchestrator.DevicePlane.Registry;

namespace OtaOrchestrator.DevicePlane.Mqtt;

/// <summary>
/// One connection of a client. Messages are put into the session directly: the broker's own dispatch looks at every session for every
/// message. So the subscriptions are kept here too.
/// </summary>
internal sealed class DeviceSession(string clientId, Standing standing, string name)
{
    private const int MaxSubscriptions = 64;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, MqttQualityOfServiceLevel> _filters = new(StringComparer.Ordinal);

    public string ClientId { get; } = clientId;

    public Standing Standing { get; } = standing;

    /// <summary>The thing's name, or the fleet that a claim is for.</summary>
    public string Name { get; } = name;

    public MqttSessionStatus? Status { get; set; }

    /// <returns>False when there are too many.</returns>
    public bool Subscribe(string filter, MqttQualityOfServiceLevel quality)
    {
        lock (_gate)
        {
            if (_filters.Count >= MaxSubscriptions && !_filters.ContainsKey(filter))
            {
                return false;
            }

            _filters[filter] = quality;
            return true;
        }
    }

    public void Unsubscribe(string filter)
    {
        lock (_gate)
        {
            _filters.Remove(filter);
        }
    }

    /// <summary>The best quality that a subscription to the topic has, or null when there is none.</summary>
    public MqttQualityOfServiceLevel? QualityFor(string topic)
    {
        lock (_gate)
        {
            MqttQualityOfServiceLevel? best = null;
            foreach (var (filter, quality) in _filters)
            {
                if (TopicFilter.Matches(filter, topic) && !(best >= quality))
                {
                    best = quality;
                }
            }

            return best;
        }
    }

    /// <summary>Queues the message; the session sends it, again after a reconnect of the network if its quality asks for that.</summary>
    public void Enqueue(string topic, byte[] payload, MqttQualityOfServiceLevel quality) => Status?.TryEnqueueApplicationMessage(
        new MqttApplicationMessage { Topic = topic, PayloadSegment = payload, QualityOfServiceLevel = quality }, out _);
}
