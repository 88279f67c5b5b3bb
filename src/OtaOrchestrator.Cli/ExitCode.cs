namespace OtaOrchestrator.Cli;

/// <summary>What <c>ota</c> answers with. Scripts build on these; they never change meaning.</summary>
internal static class ExitCode
{
    public const int Ok = 0;
    public const int Failure = 1;
    public const int Usage = 2;
    public const int WrongState = 3;
    public const int NothingToUndo = 4;
    public const int Ambiguous = 5;
    public const int Unreachable = 6;
    public const int ReleaseHeld = 7;
    public const int Invalid = 8;
    public const int RolledBack = 9;
    public const int RollbackStuck = 10;
    public const int Interrupted = 130;

    public const string Explanation =
        """
        Exit codes:
            0  done, accepted, or already so
            1  failed; fsck: found something
            2  the command line is wrong
            3  refused: the state of things, or your role, does not allow it
            4  rollback: nothing eligible to undo
            5  ambiguous: say which with --env or a name
            6  the server can't be reached (rollback prints how to use the undo kit)
            7  the release is held after a rollback
            8  the plan, the image or the request is invalid
            9  watched to its end: rolled back
           10  watched: the rollback is stuck and needs a person
          130  interrupted; what was accepted goes on
        """;
}
