using System.Text.Json;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using OtaOrchestrator.Router.Admin;
using OtaOrchestrator.Router.State;

namespace OtaOrchestrator.Router.Hosting;

/// <summary>Where the router really listens, for whoever started it.</summary>
/// <param name="Url">The public listener, for example <c>https://127.0.0.1:40123</c>.</param>
internal sealed record Ready(string Event, int Pid, string Instance, string Url, string AdminUrl)
{
    public static Ready Of(WebApplication app)
    {
        // Kestrel lists its addresses in the order in which they were bound.
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ToArray();
        return new("ready", Environment.ProcessId, app.Services.GetRequiredService<Instance>().Id, addresses[0], addresses[1]);
    }

    public void Announce(string? file)
    {
        string line = JsonSerializer.Serialize(this, RouterJson.Options);
        if (file is not null)
        {
            DurableFile.Replace(Path.GetFullPath(file), line + "\n", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        }
        Console.Out.WriteLine(line);
        Console.Out.Flush();
    }
}
