using System.Globalization;
using System.Text;

namespace Amazon.Runtime.StandIn;

/// <summary>The body of a request of the Query protocol.</summary>
internal sealed class QueryForm
{
    private readonly StringBuilder _text = new();

    public QueryForm(string action, string version)
    {
        Add("Action", action);
        Add("Version", version);
    }

    public void Add(string name, string? value)
    {
        if (_text.Length > 0)
        {
            _text.Append('&');
        }

        _text.Append(Uri.EscapeDataString(name)).Append('=').Append(Uri.EscapeDataString(value ?? ""));
    }

    public void AddList<T>(string name, List<T> list, Action<QueryForm, string, T> add)
    {
        if (list.Count == 0)
        {
            Add(name, "");
        }

        for (var i = 0; i < list.Count; i++)
        {
            add(this, string.Create(CultureInfo.InvariantCulture, $"{name}.member.{i + 1}"), list[i]);
        }
    }

    public void AddMap<T>(string name, Dictionary<string, T> map, string keyName, string valueName, Action<QueryForm, string, T> add)
    {
        var i = 0;
        foreach (var (key, value) in map)
        {
            i++;
            var entry = string.Create(CultureInfo.InvariantCulture, $"{name}.entry.{i}");
            Add($"{entry}.{keyName}", key);
            add(this, $"{entry}.{valueName}", value);
        }
    }

    public byte[] ToBytes() => Encoding.UTF8.GetBytes(_text.ToString());
}
