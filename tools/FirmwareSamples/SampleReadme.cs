using System.Globalization;
using System.Text;

namespace OtaOrchestrator.Tools.FirmwareSamples;

internal static class SampleReadme
{
    public static string Write()
    {
        var text = new StringBuilder("""
            # Firmware samples

            Images for demos and tests, made by `tools/FirmwareSamples`:

                dotnet run --project tools/FirmwareSamples -- firmware-samples

            The same code makes the same bytes; a test makes them again and compares. Another test offers each of them to a real agent on a device
            that runs 2.3.1 (hardware `thermo-a1`, security counter 3) and holds it to this table. What an image does when booted stands in the
            first line of its body, and the simulated device goes by it.

            | file | version | counter | hardware | what it does | outcome | what it must lead to |
            |---|---|---|---|---|---|---|

            """);
        foreach (var sample in Sample.All)
        {
            text.Append(CultureInfo.InvariantCulture, $"| `{sample.FileName}` | {sample.Version} | {sample.SecurityCounter} | {sample.Hardware} | {sample.Does} | {sample.Outcome} | {sample.LeadsTo} |\n");
        }
        return text.ToString();
    }
}
