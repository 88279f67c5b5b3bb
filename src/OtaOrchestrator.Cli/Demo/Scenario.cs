using System.Text.Json.Serialization.Metadata;

namespace OtaOrchestrator.Cli.Demo;

/// <summary>One story that the demo can tell, and how it is reported.</summary>
/// <param name="Findings">What was not as it should be; empty when all was.</param>
internal sealed record Scenario<T>(Func<Stage, DemoProgress, Task<T>> Play, JsonTypeInfo<T> Type, Func<T, IEnumerable<string>> Summary, Func<T, IReadOnlyList<string>> Findings) where T : class;
