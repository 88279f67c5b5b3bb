using System.Text;
using OtaOrchestrator.Router.Routes;
using OtaOrchestrator.Router.State;

namespace OtaOrchestrator.Router.Tests;

public sealed class StateFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("router-state-").FullName;

    private string Path => System.IO.Path.Combine(_folder, "state.json");

    private static StoredRoute Route => new("api", new RouteSpec
    {
        Fence = new Fence(3, 17),
        Baseline = new Variant("api@1", ["https://127.0.0.1:1"]),
        Candidate = new Variant("api@2", ["https://127.0.0.1:2"]),
        CandidateWeight = 0.25,
        Lease = new Lease(60, OnLoss.Return),
        PreviewToken = "preview-token-0123456789",
    }, LeaseLost: true);

    [Fact]
    public void What_was_saved_is_loaded()
    {
        using var file = Saved();
        var loaded = Assert.Single(file.Load());
        Assert.Equal(new Fence(3, 17), loaded.Spec.Fence);
        Assert.Equal(0.25, loaded.Spec.CandidateWeight);
        Assert.Equal(["https://127.0.0.1:2"], loaded.Spec.Candidate!.Addresses);
        Assert.Equal(new Lease(60, OnLoss.Return), loaded.Spec.Lease);
        Assert.True(loaded.LeaseLost);
    }

    [Fact]
    public void What_the_router_before_wrote_is_read_and_what_it_can_read_is_written_where_nothing_new_is_used()
    {
        using (Saved())
        {
        }
        string written = File.ReadAllText(Path);
        Assert.DoesNotContain("sticky", written, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("mirror", written, StringComparison.OrdinalIgnoreCase);
        using var file = new StateFile(Path);
        var loaded = Assert.Single(file.Load());
        Assert.Equal((null, null, null), (loaded.StickyKey, loaded.Spec.StickySeconds, loaded.Spec.Mirror));
    }

    [Fact]
    public void The_file_is_for_its_owner_only()
    {
        using var file = Saved();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path));
    }

    [Fact]
    public void A_file_cut_off_anywhere_is_refused_and_never_read_as_less()
    {
        byte[] whole;
        using (Saved())
        {
            whole = File.ReadAllBytes(Path);
        }
        // The last byte is the line's end, which says nothing.
        for (int length = 0; length < whole.Length - 1; length++)
        {
            File.WriteAllBytes(Path, whole[..length]);
            using var file = new StateFile(Path);
            var error = Assert.Throws<StateFileException>(() => file.Load());
            Assert.Contains("is damaged", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_flipped_bit_anywhere_is_refused()
    {
        byte[] whole;
        using (Saved())
        {
            whole = File.ReadAllBytes(Path);
        }
        for (int i = 0; i < whole.Length - 1; i++)
        {
            byte[] flipped = [.. whole];
            flipped[i] ^= 4;
            File.WriteAllBytes(Path, flipped);
            using var file = new StateFile(Path);
            Assert.Throws<StateFileException>(() => file.Load());
        }
    }

    [Fact]
    public void A_file_of_another_format_is_refused_with_its_number()
    {
        File.WriteAllText(Path, """{"format":7,"routes":[]}""");
        using var file = new StateFile(Path);
        Assert.Contains("format 7", Assert.Throws<StateFileException>(() => file.Load()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_write_that_was_cut_off_beside_the_file_does_no_harm()
    {
        using var file = Saved();
        File.WriteAllText(Path + ".new", "{\"format\":1,\"sha");
        Assert.Single(file.Load());
        file.Save([Route with { Name = "other" }]);
        Assert.Equal("other", Assert.Single(file.Load()).Name);
    }

    [Fact]
    public void A_second_router_does_not_get_the_file()
    {
        using var first = Saved();
        Assert.Contains("another router", Assert.Throws<StateFileException>(() => new StateFile(Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_write_that_fails_leaves_what_was_there()
    {
        using var file = Saved();
        // A folder where the new file is to be written stands for every reason why it can't.
        Directory.CreateDirectory(Path + ".new");
        Assert.ThrowsAny<Exception>(() => file.Save([]));
        Directory.Delete(Path + ".new");
        Assert.Single(file.Load());
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private StateFile Saved()
    {
        var file = new StateFile(Path);
        file.Save([Route]);
        Assert.Contains("\"format\":1", File.ReadAllText(Path, Encoding.UTF8), StringComparison.Ordinal);
        return file;
    }
}
