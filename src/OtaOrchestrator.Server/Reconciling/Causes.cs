namespace OtaOrchestrator.Server.Reconciling;

/// <summary>A failure in one sentence for people, without stack or secrets.</summary>
internal static class Causes
{
    public static string Of(Exception error)
    {
        var inner = error;
        while (inner.InnerException is { } deeper && inner is not Core.Ports.TargetException)
        {
            inner = deeper;
        }
        var text = inner.Message.ReplaceLineEndings(" ");
        return text.Length <= 300 ? text : text[..300] + "…";
    }
}
