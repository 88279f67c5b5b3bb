using Microsoft.Extensions.Hosting;
using OtaOrchestrator.Server.Hosting;
using OtaOrchestrator.Server.Pki;

if (args is ["--help" or "-h"])
{
    Console.Out.WriteLine(ServerOptions.Usage);
    return 0;
}
var (options, problem) = ServerOptions.Parse(args);
if (options is null)
{
    Console.Error.WriteLine($"error: {problem}\nhint: OtaOrchestrator.Server --help");
    return 2;
}
if (options.IssueOperator is { } name)
{
    using var pki = new ServerPki(options.Home, TimeProvider.System);
    pki.IssueOperator(name);
    Console.Out.WriteLine(Path.Combine(options.Home.Client, name + ".crt"));
    return 0;
}
try
{
    using var alone = await HomeLock.TakeAsync(options.Home, TimeProvider.System);
    await using var app = ServerHost.Build(options, TimeProvider.System);
    await app.StartAsync();
    ServerHost.Announce(app);
    await app.WaitForShutdownAsync();
    File.Delete(options.Home.Endpoint);
    return 0;
}
catch (IOException error)
{
    Console.Error.WriteLine($"error: {error.Message}\nhint: is another server running, or the port taken?");
    return 1;
}
