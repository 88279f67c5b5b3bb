using OtaOrchestrator.AwsPolicies;

// dotnet run --project tools/AwsPolicies [-- <root of the repository>]
var folder = Path.Combine(args.Length > 0 ? args[0] : Directory.GetCurrentDirectory(), "deploy", "iam");
foreach (var (name, text) in PolicyFiles.Of(CalledOperations.Of(Path.Combine(AppContext.BaseDirectory, "OtaOrchestrator.Aws.dll"))))
{
    Directory.CreateDirectory(folder);
    File.WriteAllText(Path.Combine(folder, name), text);
    Console.WriteLine(Path.Combine("deploy", "iam", name));
}
