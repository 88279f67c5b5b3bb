using System.Text.Json;
using System.Text.Json.Nodes;

namespace OtaOrchestrator.AwsSdkGenerator.Model;

/// <summary>A service model reduced to the wanted operations and the shapes that they reach.</summary>
internal sealed class ServiceModel
{
    private readonly Dictionary<string, Shape> _shapes;

    private ServiceModel(ServiceDefinition definition, JsonElement metadata, Dictionary<string, Shape> shapes, IReadOnlyList<Operation> operations, string modelsRoot)
    {
        Definition = definition;
        _shapes = shapes;
        Operations = operations;
        Protocol = Shape.Text(metadata, "protocol")!;
        ApiVersion = Shape.Text(metadata, "apiVersion")!;
        ServiceId = Shape.Text(metadata, "serviceId")!;
        EndpointPrefix = Shape.Text(metadata, "endpointPrefix")!;
        SigningName = definition.SigningName ?? Shape.Text(metadata, "signingName") ?? EndpointPrefix;
        TargetPrefix = Shape.Text(metadata, "targetPrefix");
        JsonVersion = Shape.Text(metadata, "jsonVersion");
        Partitions = PartitionEndpoint.Of(EndpointPrefix, modelsRoot);

        InputShapes = Reach(operations.Select(o => o.Input));
        OutputShapes = Reach(operations.Select(o => o.Output).Concat(Exceptions.Select(e => (string?)e.Name)));
    }

    public ServiceDefinition Definition { get; }

    public string Protocol { get; }

    public string ApiVersion { get; }

    public string ServiceId { get; }

    public string EndpointPrefix { get; }

    public string SigningName { get; }

    public string? TargetPrefix { get; }

    public string? JsonVersion { get; }

    /// <summary>Where a service answers that has one endpoint in a partition; empty for one that has an endpoint in each region.</summary>
    public IReadOnlyList<PartitionEndpoint> Partitions { get; }

    public IReadOnlyList<Operation> Operations { get; }

    /// <summary>Names of the shapes below the inputs, without the inputs themselves.</summary>
    public IReadOnlySet<string> InputShapes { get; }

    /// <summary>Names of the shapes below the outputs and exceptions, without these themselves.</summary>
    public IReadOnlySet<string> OutputShapes { get; }

    public IEnumerable<Shape> Exceptions =>
        Operations.SelectMany(o => o.Errors).Distinct().Order(StringComparer.Ordinal).Select(Get);

    public IEnumerable<Shape> Structures => Reached.Where(s => s.Type == "structure" && !s.IsException);

    public IEnumerable<Shape> Enums => Reached.Where(s => s.IsEnum);

    private IEnumerable<Shape> Reached =>
        InputShapes.Union(OutputShapes).Order(StringComparer.Ordinal).Select(Get);

    public Shape Get(string name) =>
        _shapes.TryGetValue(name, out var shape) ? shape : throw new InvalidDataException($"the model has no shape {name}");

    /// <summary>Reads <c>service-2.json</c>, lays the overlay over it and keeps the wanted operations.</summary>
    public static ServiceModel Load(ServiceDefinition definition, string modelsRoot)
    {
        var path = Path.Combine(modelsRoot, definition.Model, "service-2.json");
        var root = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        if (definition.Overlay is { } overlay)
        {
            Lay(overlay, root);
        }

        Rename(definition.Renames, root);
        using var document = JsonDocument.Parse(root.ToJsonString());
        var model = document.RootElement;
        var all = model.GetProperty("operations").EnumerateObject().ToDictionary(o => o.Name, o => Operation.Parse(o.Name, o.Value));
        IEnumerable<string> wanted = definition.Operations is ["*"] ? all.Keys : definition.Operations;
        var operations = wanted.Distinct().Order(StringComparer.Ordinal)
            .Select(n => all.TryGetValue(n, out var o) ? o : throw new InvalidDataException($"{path} has no operation {n}"))
            .ToArray();
        var shapes = model.GetProperty("shapes").EnumerateObject().ToDictionary(s => s.Name, s => Shape.Parse(s.Name, s.Value));
        return new ServiceModel(definition, model.GetProperty("metadata").Clone(), shapes, operations, modelsRoot);
    }

    private static void Lay(JsonObject overlay, JsonObject onto)
    {
        foreach (var (name, value) in overlay)
        {
            if (value is JsonObject child && onto[name] is JsonObject existing)
            {
                Lay(child, existing);
            }
            else
            {
                onto[name] = value?.DeepClone();
            }
        }
    }

    /// <summary>What is sent and read keeps the model's names.</summary>
    private static void Rename(IReadOnlyDictionary<string, string> names, JsonObject root)
    {
        var shapes = root["shapes"]!.AsObject();
        foreach (var (from, to) in names)
        {
            if (from.Split('.') is [var owner, var name])
            {
                var shape = shapes[owner]!.AsObject();
                var members = shape["members"]!.AsObject();
                var member = members[name]!.AsObject();
                member["locationName"] ??= name;
                members.Remove(name);
                members[to] = member;
                if ((string?)shape["payload"] == name)
                {
                    shape["payload"] = to;
                }

                continue;
            }

            shapes[to] = shapes[from]!.DeepClone();
            shapes.Remove(from);
            Refer(root, from, to);
        }

        static void Refer(JsonNode? node, string from, string to)
        {
            if (node is JsonObject owner)
            {
                if (owner["shape"] is JsonValue shape && shape.TryGetValue(out string? name) && name == from)
                {
                    owner["shape"] = to;
                }

                foreach (var child in owner.Select(pair => pair.Value).ToArray())
                {
                    Refer(child, from, to);
                }
            }
            else if (node is JsonArray list)
            {
                foreach (var child in list)
                {
                    Refer(child, from, to);
                }
            }
        }
    }

    private HashSet<string> Reach(IEnumerable<string?> roots)
    {
        var reached = new HashSet<string>();
        var pending = new Stack<string>(roots.OfType<string>().SelectMany(Below));
        while (pending.TryPop(out var name))
        {
            if (!reached.Add(name))
            {
                continue;
            }

            foreach (var next in Below(name))
            {
                pending.Push(next);
            }
        }

        return reached;

        IEnumerable<string> Below(string name)
        {
            var shape = Get(name);
            return shape.Members.Select(m => m.Shape).Append(shape.Element).Append(shape.Value).OfType<string>();
        }
    }
}
