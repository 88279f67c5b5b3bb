using System.ComponentModel.DataAnnotations;

namespace OtaOrchestrator.Server.Reconciling;

/// <summary>How effects are carried out.</summary>
public sealed class ReconcilerOptions
{
    /// <summary>One call to a target is given up after this.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan CallTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>A call that was cancelled, at its deadline or by a rollback, and does not end within this is left behind.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:00:10")]
    public TimeSpan AbandonAfter { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>A forward effect whose calls keep failing is given up after this.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan GiveUpAfter { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>First pause before a read-back is looked at again; doubles up to <see cref="PollMax"/>.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00")]
    public TimeSpan PollMin { get; set; } = TimeSpan.FromMilliseconds(200);

    [Range(typeof(TimeSpan), "00:00:00.010", "00:10:00")]
    public TimeSpan PollMax { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Forward effects at work at once. Rollback is not counted among them.</summary>
    [Range(1, 10_000)]
    public int WorkersMax { get; set; } = 64;

    /// <summary>Attempts of a return that fail before a person is called; it keeps trying all the same.</summary>
    [Range(1, 10_000)]
    public int RestoreAttemptsMax { get; set; } = 20;

    /// <summary>Called around each act, so that a test can end the process there.</summary>
    public Action<string>? Probe { get; set; }
}
