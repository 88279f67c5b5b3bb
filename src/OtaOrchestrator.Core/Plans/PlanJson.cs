using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using OtaOrchestrator.Core.Rollouts;

namespace OtaOrchestrator.Core.Plans;

/// <summary>Writes a plan as proto JSON of <c>ota.v1.Plan</c>: <see cref="PlanText.Parse"/> reads it back to the same plan.</summary>
public static class PlanJson
{
    public static string Of(Plan plan)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("apiVersion", "ota/v1");
            json.WriteString("kind", "Plan");
            Text(json, "name", plan.Name);
            Text(json, "timezone", plan.Timezone);
            List(json, "lanes", plan.Lanes, Lane);
            json.WriteStartObject("judge");
            Number(json, "falseAbortMax", plan.Judge.FalseAbortMax);
            Text(json, "noData", Word(plan.Judge.NoData));
            Text(json, "unhealthy", Word(plan.Judge.Unhealthy));
            json.WriteEndObject();
            json.WriteStartObject("rollback");
            Duration(json, "untilAfter", plan.Rollback.UntilAfter);
            Flag(json, "ignoreWindow", plan.Rollback.IgnoreWindow);
            Number(json, "ratePerMinuteMax", plan.Rollback.RatePerMinuteMax);
            List(json, "shares", plan.Rollback.Shares, (writer, share) => writer.WriteNumberValue(share));
            Number(json, "failuresMax", plan.Rollback.FailuresMax);
            Duration(json, "undoWait", plan.Rollback.UndoWait);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void Lane(Utf8JsonWriter json, LanePlan lane)
    {
        json.WriteStartObject();
        Text(json, "name", lane.Name);
        Text(json, "target", lane.Target);
        Text(json, "release", lane.Release);
        Text(json, "fallback", lane.Fallback);
        List(json, "needs", lane.Needs, (writer, need) => writer.WriteStringValue(need));
        List(json, "exclude", lane.Exclude, (writer, tag) => writer.WriteStringValue(tag));
        if (lane.Window is { } window)
        {
            json.WriteStartObject("window");
            Text(json, "from", window.From);
            Text(json, "to", window.To);
            Text(json, "clock", window.Clock);
            json.WriteEndObject();
        }
        Number(json, "ratePerMinuteMax", lane.RatePerMinuteMax);
        List(json, "steps", lane.Steps, Step);
        Duration(json, "guardAfter", lane.GuardAfter);
        Duration(json, "observeFor", lane.ObserveFor);
        List(json, "checks", lane.Checks, Check);
        if (lane.Complete is { } complete)
        {
            json.WriteStartObject("complete");
            Number(json, "confirmedMin", complete.ConfirmedMin);
            Text(json, "of", complete.Of);
            Duration(json, "tailMax", complete.TailMax);
            json.WriteEndObject();
        }
        Duration(json, "stickyFor", lane.StickyFor);
        Duration(json, "leaseFor", lane.LeaseFor);
        Text(json, "onControllerLoss", lane.OnControllerLoss);
        json.WriteEndObject();
    }

    private static void Step(Utf8JsonWriter json, StepPlan step)
    {
        json.WriteStartObject();
        Number(json, "share", step.Share);
        Text(json, "group", step.Group);
        Duration(json, "bakeMin", step.BakeMin);
        Duration(json, "bakeMax", step.BakeMax);
        Count(json, "requestsMin", step.RequestsMin);
        Count(json, "confirmedMin", step.ConfirmedMin);
        Text(json, "approval", step.Approval);
        Text(json, "test", step.Test);
        Flag(json, "pause", step.Pause ? true : null);
        Number(json, "reach", step.Reach);
        Number(json, "mirror", step.Mirror);
        json.WriteEndObject();
    }

    private static void Check(Utf8JsonWriter json, CheckPlan check)
    {
        json.WriteStartObject();
        Text(json, "name", check.Name);
        Text(json, "source", check.Source);
        Text(json, "against", check.Against);
        Number(json, "ratioMax", check.RatioMax);
        Number(json, "errorsMax", check.ErrorsMax);
        Number(json, "failuresMax", check.FailuresMax);
        Number(json, "p99MsMax", check.P99MsMax);
        Count(json, "samplesMin", check.SamplesMin);
        Duration(json, "silentAfter", check.SilentAfter);
        Duration(json, "interval", check.Interval);
        Text(json, "metric", check.Metric);
        Text(json, "when", check.When);
        Text(json, "url", check.Url);
        Text(json, "query", check.Query);
        Text(json, "alarm", check.Alarm);
        Text(json, "service", check.Service);
        Number(json, "valueMax", check.ValueMax);
        Number(json, "valueMin", check.ValueMin);
        Duration(json, "timeout", check.Timeout);
        Number(json, "failuresInRowMax", check.FailuresInRowMax);
        Text(json, "noData", Word(check.NoData));
        Flag(json, "dryRun", check.DryRun ? true : null);
        json.WriteEndObject();
    }

    private static string? Word(OnVerdict? choice) => choice is { } verdict ? Words.Of(verdict) : null;

    private static void Text(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }

    private static void Number(Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
    }

    // As proto JSON writes 64 bits, so that no reader rounds them.
    private static void Count(Utf8JsonWriter json, string name, long? value)
    {
        if (value is { } count)
        {
            json.WriteString(name, count.ToString(CultureInfo.InvariantCulture));
        }
    }

    private static void Flag(Utf8JsonWriter json, string name, bool? value)
    {
        if (value is { } flag)
        {
            json.WriteBoolean(name, flag);
        }
    }

    private static void Duration(Utf8JsonWriter json, string name, TimeSpan? value)
    {
        if (value is { } duration)
        {
            var seconds = ((decimal)duration.Ticks / TimeSpan.TicksPerSecond).ToString("0.#######", CultureInfo.InvariantCulture);
            json.WriteString(name, seconds + "s");
        }
    }

    private static void List<T>(Utf8JsonWriter json, string name, ImmutableArray<T> values, Action<Utf8JsonWriter, T> write)
    {
        if (values.IsDefaultOrEmpty)
        {
            return;
        }
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            write(json, value);
        }
        json.WriteEndArray();
    }
}
