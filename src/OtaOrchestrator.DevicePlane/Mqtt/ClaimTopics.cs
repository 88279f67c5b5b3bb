using System.Buffers;
using System.Text.Json;
using OtaOrchestrator.DevicePlane.Registry;
using OtaOrchestrator.DevicePlane.Storage;

namespace OtaOrchestrator.DevicePlane.Mqtt;

/// <summary>The two operations that a claim certificate is good for.</summary>
internal sealed class ClaimTopics(Provisioning provisioning, PlaneWriter writer)
{
    private const string CreateFromCsr = "$aws/certificates/create-from-csr/json";

    /// <returns>False when the topic isn't the claim's to publish to.</returns>
    public async Task<bool> HandleAsync(DeviceSession session, string topic, ReadOnlySequence<byte> payload, CancellationToken cancellationToken)
    {
        var provision = $"$aws/provisioning-templates/{session.Name}/provision/json";
        if (topic != CreateFromCsr && topic != provision)
        {
            return false;
        }

        try
        {
            var body = PlaneJson.ParseObject(payload);
            if (topic == CreateFromCsr)
            {
                var issued = await provisioning.CreateFromCsrAsync(session.Name, body, cancellationToken).ConfigureAwait(false);
                await AnswerAsync(session, topic + "/accepted", w =>
                {
                    w.WriteString("certificateId", issued.CertificateId);
                    w.WriteString("certificatePem", issued.CertificatePem);
                    w.WriteString("certificateOwnershipToken", issued.Token);
                }).ConfigureAwait(false);
            }
            else
            {
                var thing = await provisioning.ProvisionAsync(session.Name, body, cancellationToken).ConfigureAwait(false);
                await AnswerAsync(session, topic + "/accepted", w =>
                {
                    w.WriteString("thingName", thing);
                    w.WriteStartObject("deviceConfiguration");
                    w.WriteEndObject();
                }).ConfigureAwait(false);
            }
        }
        catch (RefusedException e)
        {
            var (status, code) = e.Reason switch
            {
                Refusal.InvalidJson => (400, "InvalidPayload"),
                Refusal.InvalidRequest => (400, topic == CreateFromCsr ? "InvalidCertificateSigningRequest" : "InvalidParameters"),
                Refusal.NotFound => (404, "ResourceNotFound"),
                Refusal.AlreadyExists => (409, "ResourceAlreadyExists"),
                Refusal.LimitExceeded => (429, "Throttled"),
                Refusal.Unavailable => (503, "ServiceUnavailable"),
                _ => (500, "InternalFailure"),
            };
            await AnswerAsync(session, topic + "/rejected", w =>
            {
                w.WriteNumber("statusCode", status);
                w.WriteString("errorCode", code);
                w.WriteString("errorMessage", e.Message);
            }).ConfigureAwait(false);
        }

        return true;
    }

    private async Task AnswerAsync(DeviceSession session, string topic, Action<Utf8JsonWriter> write)
    {
        var payload = PlaneJson.Object(write);
        await writer.RunAsync(tx => tx.Send(OutboundMessage.Reply(session, topic, () => payload)), CancellationToken.None).ConfigureAwait(false);
    }
}
