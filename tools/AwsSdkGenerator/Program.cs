using OtaOrchestrator.AwsSdkGenerator;

// dotnet run --project tools/AwsSdkGenerator [-- <root of the repository> [<root of the service models>]]
var repository = args.Length > 0 ? args[0] : Directory.GetCurrentDirectory();
var models = args.Length > 1 ? args[1] : StandInGenerator.InstalledModels;
var services = Path.Combine(repository, "tools", "AwsSdkGenerator", "Services");
if (!Directory.Exists(services) || !Directory.Exists(models))
{
    Console.Error.WriteLine($"error: no {(Directory.Exists(services) ? $"service models in {models}" : $"definitions in {services}")}");
    Console.Error.WriteLine("hint: run it in the root of the repository, with python3-botocore installed");
    return 1;
}

foreach (var definition in Directory.EnumerateFiles(services, "*.json").Order(StringComparer.Ordinal))
{
    var (output, files) = StandInGenerator.Generate(definition, models);
    var folder = Path.Combine(repository, output);
    if (Directory.Exists(folder))
    {
        Directory.Delete(folder, recursive: true);
    }

    foreach (var (name, text) in files)
    {
        var path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    Console.WriteLine($"{output}: {files.Count} files, {files.Values.Sum(t => t.Count(c => c == '\n'))} lines");
}

return 0;
