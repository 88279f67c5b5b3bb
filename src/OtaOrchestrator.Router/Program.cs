using System.Security.Cryptography;
using OtaOrchestrator.Router.Hosting;
using OtaOrchestrator.Router.State;
using OtaOrchestrator.Router.TakingOver;

const int Stopped = 0;
const int CannotStart = 1;
const int WrongUsage = 2;

if (args is ["--help" or "-h"])
{
    Console.Out.WriteLine(OptionsReader.Usage);
    return Stopped;
}
var (options, problems) = OptionsReader.Read(args, Environment.GetEnvironmentVariable);
if (options is null)
{
    foreach (string problem in problems)
    {
        Console.Error.WriteLine("error: " + problem);
    }
    Console.Error.WriteLine("hint: OtaOrchestrator.Router --help");
    return WrongUsage;
}
try
{
    using var predecessor = options.TakeOver ? Predecessor.Find(options.State) : null;
    await using var app = RouterHost.Build(options, TimeProvider.System, predecessor);
    await RouterHost.BeginAsync(app, options, CancellationToken.None);
    await app.StartAsync();
    Ready.Of(app).Announce(options.ReadyFile);
    predecessor?.TellServing();
    var successor = app.Services.GetRequiredService<Successor>().RunAsync();
    await app.WaitForShutdownAsync();
    await successor;
    return Stopped;
}
catch (Exception error) when (error is StateFileException or IOException or InvalidDataException or CryptographicException or UnauthorizedAccessException)
{
    Console.Error.WriteLine("error: " + error.Message);
    return CannotStart;
}
