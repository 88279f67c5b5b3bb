namespace OtaOrchestrator.Core.Plans;

/// <summary>Single values, typed elsewhere, in the spelling of a plan: <c>5%</c>, <c>0.05</c>, <c>30m</c>, <c>1800s</c>.</summary>
public static class PlanValue
{
    /// <param name="name">What the value is called where it was typed.</param>
    /// <returns>0 to 1, or what is wrong.</returns>
    public static (double Value, PlanViolation? Wrong) Share(string name, string text) => Of(name, text, fields => fields.Share(name));

    /// <inheritdoc cref="Share"/>
    public static (TimeSpan Value, PlanViolation? Wrong) Duration(string name, string text) => Of(name, text, fields => fields.Duration(name));

    private static (T, PlanViolation?) Of<T>(string name, string text, Func<PlanFields, T?> read) where T : struct
    {
        var problems = new PlanProblems();
        var node = new PlanMap([(name, 0, new PlanScalar(text, Plain: false, 0))], 0);
        var value = read(new PlanFields(node, "", problems, name));
        return (value ?? default, value is null ? problems.Found[0] : null);
    }
}
