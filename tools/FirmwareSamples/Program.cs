using OtaOrchestrator.Tools.FirmwareSamples;

if (args is not [var directory])
{
    Console.Error.WriteLine("usage: FirmwareSamples DIRECTORY   writes the sample images and their README.md");
    return 2;
}
Directory.CreateDirectory(directory);
foreach (var sample in Sample.All)
{
    File.WriteAllBytes(Path.Combine(directory, sample.FileName), sample.ToImage());
}
File.WriteAllText(Path.Combine(directory, "README.md"), SampleReadme.Write());
return 0;
