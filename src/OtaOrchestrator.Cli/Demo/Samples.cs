using OtaOrchestrator.Cli.Programs;

namespace OtaOrchestrator.Cli.Demo;

/// <summary>The firmware images of <c>firmware-samples/</c>, beside the program or in the source tree.</summary>
internal sealed class Samples
{
    private readonly string _folder;

    public Samples(ProgramFiles programs) =>
        _folder = programs.FindUpwards("firmware-samples") ?? throw new CliFailure(ExitCode.Failure, "there is no folder firmware-samples beside ota or above it");

    /// <summary>The one image whose file name holds <paramref name="word"/>, for example its version.</summary>
    public FileInfo Named(string word)
    {
        var found = new DirectoryInfo(_folder).GetFiles("*.img").Where(file => file.Name.Contains(word, StringComparison.Ordinal)).ToList();
        return found.Count == 1 ? found[0] : throw new CliFailure(ExitCode.Failure, $"{_folder} has {found.Count} images for {word}, one is needed");
    }
}
