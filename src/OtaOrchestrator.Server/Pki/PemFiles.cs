using System.Security.Cryptography.X509Certificates;

namespace OtaOrchestrator.Server.Pki;

/// <summary>A certificate and its key as two files; the key for its owner alone.</summary>
public static class PemFiles
{
    public static void Write(string directory, string name, string certificate, string key)
    {
        // The key first: a certificate that is there has its key.
        WriteWhole(Path.Combine(directory, name + ".key"), key + "\n");
        WriteWhole(Path.Combine(directory, name + ".crt"), certificate + "\n");
    }

    public static X509Certificate2 Load(string directory, string name) =>
        X509Certificate2.CreateFromPemFile(Path.Combine(directory, name + ".crt"), Path.Combine(directory, name + ".key"));

    /// <summary>Writes for the owner alone, and all or nothing.</summary>
    public static void WriteWhole(string file, string text)
    {
        var temporary = $"{file}.{Guid.NewGuid():n}";
        using (var stream = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
        {
            stream.Write(System.Text.Encoding.UTF8.GetBytes(text));
            stream.Flush(flushToDisk: true);
        }
        File.Move(temporary, file, overwrite: true);
    }
}
