using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using OtaOrchestrator.Server.Hosting;

namespace OtaOrchestrator.Server.Pki;

/// <summary>
/// The installation's authorities and certificates, made at first start: one authority for servers, one for operators, one for devices, so that none of them can
/// vouch for another's.
/// </summary>
public sealed class ServerPki : IDisposable
{
    private static readonly TimeSpan ServerLife = TimeSpan.FromDays(825);
    private static readonly TimeSpan OperatorLife = TimeSpan.FromDays(365);
    public const string OrchestratorName = "orchestrator";
    private readonly Home _home;

    public ServerPki(Home home, TimeProvider time)
    {
        _home = home;
        home.Create();
        Servers = Authority.Open(home.Pki, "server-ca", time);
        Operators = Authority.Open(home.Pki, "operators-ca", time);
        Devices = Authority.Open(home.Pki, "devices-ca", time);
        Servers.Ensure(home.Pki, "server", "ota-server", Usage.Server, ServerLife);
        Servers.Ensure(home.Pki, "router", "ota-router", Usage.Server, ServerLife);
        Operators.Ensure(home.Pki, OrchestratorName, OrchestratorName, Usage.Client, ServerLife);
        Operators.Ensure(home.Client, "admin", "admin", Usage.Client, OperatorLife);
        File.Copy(Path.Combine(home.Pki, "server-ca.crt"), Path.Combine(home.Client, "server-ca.crt"), overwrite: true);
        Server = PemFiles.Load(home.Pki, "server");
        Orchestrator = PemFiles.Load(home.Pki, "orchestrator");
    }

    public Authority Servers { get; }
    public Authority Operators { get; }
    public Authority Devices { get; }

    /// <summary>What this server shows.</summary>
    public X509Certificate2 Server { get; }

    /// <summary>What this server shows as a client, to routers.</summary>
    public X509Certificate2 Orchestrator { get; }

    public void IssueOperator(string name) => Operators.Issue(_home.Client, name, name, Usage.Client, OperatorLife);

    /// <summary>Accepts a client certificate that the operators' authority issued for clients, and nothing else.</summary>
    public bool IsOperator(X509Certificate2 certificate) => Chains(certificate, Operators.Certificate, "1.3.6.1.5.5.7.3.2");

    /// <summary>This server itself, which is nobody's operator: with its certificate it goes where plans send it, and none may send it here to act.</summary>
    public bool IsOrchestrator(X509Certificate2 certificate) => certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false) == OrchestratorName;

    /// <summary>Accepts a server certificate of this installation for the host that was asked for.</summary>
    public bool IsOwnServer(X509Certificate? certificate, SslPolicyErrors errors) =>
        certificate is X509Certificate2 own && (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) == SslPolicyErrors.None && Chains(own, Servers.Certificate, "1.3.6.1.5.5.7.3.1");

    public void Dispose()
    {
        Servers.Dispose();
        Operators.Dispose();
        Devices.Dispose();
        Server.Dispose();
        Orchestrator.Dispose();
    }

    private static bool Chains(X509Certificate2 certificate, X509Certificate2 authority, string usage)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid(usage));
        return chain.Build(certificate);
    }
}
