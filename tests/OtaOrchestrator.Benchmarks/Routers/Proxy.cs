using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace OtaOrchestrator.Benchmarks.Routers;

/// <summary>A reverse proxy as a process, in front of one back end over TLS on both sides: ours, nginx or HAProxy, each with its defaults where they are comparable.</summary>
internal sealed class Proxy : IDisposable
{
    private readonly Process _process;

    private Proxy(string name, Uri url, Process process) => (Name, Url, _process) = (name, url, process);

    public string Name { get; }
    public Uri Url { get; }

    /// <summary>Of ours only.</summary>
    public Uri? Admin { get; private init; }

    public static async Task<Proxy> OursAsync(string folder, Certificates certificates, Uri backend)
    {
        var process = Start(Router(), "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--tls-cert", certificates.ServerFile, "--tls-key", certificates.ServerKeyFile,
            "--admin-ca", certificates.AuthorityFile, "--backend-ca", certificates.AuthorityFile, "--state", Path.Combine(folder, "state.json"), "--baseline", $"api=api@0={backend.GetLeftPart(UriPartial.Authority)}");
        var ready = JsonNode.Parse(await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("the router did not start"))!;
        return new Proxy("router", new Uri((string)ready["url"]!), process) { Admin = new Uri((string)ready["adminUrl"]!) };
    }

    public static async Task<Proxy> NginxAsync(string folder, Certificates certificates, Uri backend)
    {
        int port = FreePort();
        string file = Path.Combine(folder, "nginx.conf");
        await File.WriteAllTextAsync(file, $$"""
            daemon off; worker_processes 2; pid {{folder}}/nginx.pid; error_log stderr crit;
            events { worker_connections 1024; }
            http {
              access_log off; client_body_temp_path {{folder}}/b; proxy_temp_path {{folder}}/p; fastcgi_temp_path {{folder}}/f; uwsgi_temp_path {{folder}}/u; scgi_temp_path {{folder}}/s;
              keepalive_requests 1000000;
              upstream api { server {{backend.Host}}:{{backend.Port}}; keepalive 128; keepalive_requests 1000000; }
              server {
                listen 127.0.0.1:{{port}} ssl; ssl_certificate {{certificates.ServerFile}}; ssl_certificate_key {{certificates.ServerKeyFile}};
                location / { proxy_pass https://api; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_ssl_verify on; proxy_ssl_name localhost; proxy_ssl_trusted_certificate {{certificates.AuthorityFile}}; }
              }
            }
            """);
        return await ServingAsync(new Proxy("nginx", new Uri($"https://127.0.0.1:{port}"), Start("/usr/sbin/nginx", "-c", file)));
    }

    public static async Task<Proxy> HaproxyAsync(string folder, Certificates certificates, Uri backend)
    {
        int port = FreePort();
        string file = Path.Combine(folder, "haproxy.cfg");
        await File.WriteAllTextAsync(file, $"""
            global
              nbthread 2
            defaults
              mode http
              timeout connect 5s
              timeout client 60s
              timeout server 60s
            frontend api
              bind 127.0.0.1:{port} ssl crt {certificates.BothFile}
              default_backend old
            backend old
              server one {backend.Host}:{backend.Port} ssl verify required ca-file {certificates.AuthorityFile}

            """);
        return await ServingAsync(new Proxy("haproxy", new Uri($"https://127.0.0.1:{port}"), Start("/usr/sbin/haproxy", "-db", "-f", file)));
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }
        _process.Dispose();
    }

    /// <summary>One route with a weight, as the orchestrator writes it.</summary>
    public async Task SetAsync(HttpClient orchestrator, long revision, Uri old, Uri candidate, double weight)
    {
        using var response = await orchestrator.PutAsJsonAsync(new Uri(Admin!, "/v1/routes/api"), new
        {
            fence = new { epoch = 1, revision },
            baseline = new { release = "api@1", addresses = new[] { old.GetLeftPart(UriPartial.Authority) } },
            candidate = new { release = "api@2", addresses = new[] { candidate.GetLeftPart(UriPartial.Authority) } },
            candidateWeight = weight,
        });
        response.EnsureSuccessStatusCode();
    }

    private static Process Start(string program, params string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        // Read and dropped, so that no log fills its pipe.
        process.BeginErrorReadLine();
        return process;
    }

    private static string Router([CallerFilePath] string source = "")
    {
        // Built with the solution, like this program: …/bin/<configuration>/<framework>/.
        var output = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        string root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(source)!, "..", "..", ".."));
        return Path.Combine(root, "src", "OtaOrchestrator.Router", "bin", output.Parent!.Name, output.Name, "OtaOrchestrator.Router");
    }

    private static async Task<Proxy> ServingAsync(Proxy proxy)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20), TimeProvider.System);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(IPAddress.Loopback, proxy.Url.Port, deadline.Token);
                return proxy;
            }
            catch (SocketException)
            {
                await timer.WaitForNextTickAsync(deadline.Token);
            }
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
