using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OtaOrchestrator.Cli.Connection;

/// <summary>Which server, as whom. Read again at every connect, because a restarted server may have other ports.</summary>
internal sealed record ServerAddress(HomeDirectory Home, string? Url, string? Actor)
{
    public string ActorName => Actor ?? "admin";

    /// <summary>Throws <see cref="CliFailure"/> (unreachable) when no server is known.</summary>
    public Uri Resolve()
    {
        var text = Url ?? ServerEndpoint.Read(Home)?.Grpc
            ?? throw new CliFailure(ExitCode.Unreachable, $"no server runs in {Home.Path}", "start one with `ota serve`, or name one with --server or --home");
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme != Uri.UriSchemeHttps)
        {
            throw new CliFailure(ExitCode.Usage, $"`{text}` is not an https:// address");
        }
        return address;
    }

    // Without a certificate of one's own, or the server's authority, no server can be reached: on the worst night that leads to the undo kit as well.
    public X509Certificate2 ClientCertificate()
    {
        if (ActorName.AsSpan().ContainsAny('/', '\\') || ActorName is "." or "..")
        {
            throw new CliFailure(ExitCode.Usage, $"`{ActorName}` is not an operator's name");
        }
        var certificate = Home.Certificate(ActorName);
        if (!File.Exists(certificate))
        {
            throw new CliFailure(ExitCode.Unreachable, $"there is no certificate for {ActorName}: {certificate}",
                Actor is null ? "the server makes the first operator's at its first start: ota serve" : "on the server's machine: OtaOrchestrator.Server operator issue NAME");
        }
        try
        {
            return X509Certificate2.CreateFromPemFile(certificate, Home.Key(ActorName));
        }
        catch (CryptographicException failure)
        {
            throw new CliFailure(ExitCode.Unreachable, $"the certificate or key of {ActorName} can't be read: {failure.Message}");
        }
    }

    public X509Certificate2 ServerAuthority()
    {
        if (!File.Exists(Home.ServerCa))
        {
            throw new CliFailure(ExitCode.Unreachable, $"the server's authority is not known: {Home.ServerCa}", "copy server-ca.crt from the server's client folder");
        }
        try
        {
            return X509CertificateLoader.LoadCertificateFromFile(Home.ServerCa);
        }
        catch (CryptographicException failure)
        {
            throw new CliFailure(ExitCode.Unreachable, $"{Home.ServerCa} can't be read: {failure.Message}");
        }
    }
}
