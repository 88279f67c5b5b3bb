using OtaOrchestrator.AwsSdkGenerator;

namespace OtaOrchestrator.AwsSdk.Tests;

public sealed class GeneratedFilesTests
{
    public static TheoryData<string> Services => [.. Directory.EnumerateFiles(Path.GetDirectoryName(Repository.Definition("any"))!, "*.json").Select(Path.GetFileNameWithoutExtension).OfType<string>()];

    [Theory]
    [MemberData(nameof(Services))]
    public void Checked_in_files_are_what_the_generator_writes(string service)
    {
        Assert.True(Directory.Exists(StandInGenerator.InstalledModels), "install python3-botocore: the service models come from it");
        var (output, files) = StandInGenerator.Generate(Repository.Definition(service), StandInGenerator.InstalledModels);
        var folder = Path.Combine(Repository.Root, output);
        var present = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(folder, f).Replace('\\', '/'));

        Assert.Equal(files.Keys.Order(StringComparer.Ordinal), present.Order(StringComparer.Ordinal));
        Assert.All(files, file => Assert.Equal(file.Value, File.ReadAllText(Path.Combine(folder, file.Key)).ReplaceLineEndings("\n")));
    }

    [Theory]
    [InlineData("""{"model":"iot/2015-05-28","name":"IoT","output":"x","operations":["NoSuchOperation"]}""", "NoSuchOperation")]
    [InlineData("""{"model":"ec2/2016-11-15","name":"EC2","output":"x","operations":["DescribeInstances"]}""", "ec2")]
    public void What_the_generator_cannot_do_it_refuses_by_name(string definition, string named)
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, definition);
            var refusal = Assert.ThrowsAny<Exception>(() => StandInGenerator.Generate(path, StandInGenerator.InstalledModels));
            Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
