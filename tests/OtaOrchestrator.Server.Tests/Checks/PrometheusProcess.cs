using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace OtaOrchestrator.Server.Tests.Checks;

/// <summary>Debian's Prometheus over TLS, scraping one address every 100 ms.</summary>
internal sealed class PrometheusProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _folder;

    private PrometheusProcess(Process process, string folder, string address) => (_process, _folder, Address) = (process, folder, address);

    public string Address { get; }

    /// <param name="pki">Where <c>server.crt</c>, <c>server.key</c> and <c>server-ca.crt</c> are.</param>
    public static PrometheusProcess Start(string pki, Uri scraped)
    {
        var folder = Directory.CreateTempSubdirectory("ota-prometheus-").FullName;
        string At(string file) => Path.Combine(folder, file);
        File.WriteAllText(At("prometheus.yml"),
            $$"""
            global: { scrape_interval: 100ms, scrape_timeout: 100ms }
            scrape_configs:
            - job_name: toy
              scheme: https
              tls_config: { ca_file: "{{pki}}/server-ca.crt" }
              static_configs: [ { targets: [ "{{scraped.Authority}}" ] } ]
            """);
        File.WriteAllText(At("web.yml"), $"tls_server_config: {{ cert_file: \"{pki}/server.crt\", key_file: \"{pki}/server.key\" }}\n");
        int port = FreePort();
        var process = Process.Start(new ProcessStartInfo("prometheus",
            [$"--config.file={At("prometheus.yml")}", $"--web.config.file={At("web.yml")}", $"--web.listen-address=127.0.0.1:{port}", $"--storage.tsdb.path={At("data")}", "--log.level=error"])
        {
            RedirectStandardError = true,
        })!;
        // Read away, or it would stop when the pipe is full.
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        return new PrometheusProcess(process, folder, $"https://127.0.0.1:{port}");
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static int FreePort()
    {
        using var socket = new TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }
}
