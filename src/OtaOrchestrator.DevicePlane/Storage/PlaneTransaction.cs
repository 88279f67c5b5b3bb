using OtaOrchestrator.DevicePlane.Jobs;
using OtaOrchestrator.DevicePlane.Mqtt;
using OtaOrchestrator.DevicePlane.Registry;

namespace OtaOrchestrator.DevicePlane.Storage;

/// <summary>
/// What an operation may do: change memory (with the way back recorded), name the rows that follow from it, and say what happens once the
/// rows are on disk. Everything it touches outside memory goes through here, so an operation can be undone and run again.
/// </summary>
internal sealed class PlaneTransaction(SteadyClock clock)
{
    private readonly List<Action> _undo = [];
    private readonly Dictionary<(PlaneTable Table, string Key), Func<byte[]>?> _rows = [];
    private readonly List<((PlaneTable, string) Row, Func<byte[]>? Body)> _operationRows = [];
    private readonly List<Action> _afterCommit = [];
    private readonly List<OutboundMessage> _messages = [];
    private readonly Dictionary<Thing, JobExecution[]> _touched = [];
    private (int Undo, int After, int Messages) _mark;

    public SteadyClock Clock { get; } = clock;

    public int RowCount => _rows.Count;

    public IReadOnlyList<OutboundMessage> Messages => _messages;

    public IReadOnlyList<Action> AfterCommitActions => _afterCommit;

    /// <summary>Records how to take back a change of memory that has just been made.</summary>
    public void Undo(Action action) => _undo.Add(action);

    public void Set<TKey, TValue>(Dictionary<TKey, TValue> map, TKey key, TValue value)
        where TKey : notnull
    {
        var existed = map.TryGetValue(key, out var before);
        map[key] = value;
        _undo.Add(existed ? () => map[key] = before! : () => map.Remove(key));
    }

    public void Remove<TKey, TValue>(Dictionary<TKey, TValue> map, TKey key)
        where TKey : notnull
    {
        if (map.Remove(key, out var before))
        {
            _undo.Add(() => map[key] = before);
        }
    }

    /// <summary>The row is written with this batch; the body is made as late as possible, so that the last change of a row wins.</summary>
    public void Write(PlaneTable table, string key, Func<byte[]> body) => _operationRows.Add(((table, key), body));

    public void Delete(PlaneTable table, string key) => _operationRows.Add(((table, key), null));

    /// <summary>Runs once the batch is on disk, on the writer: keep it short.</summary>
    public void AfterCommit(Action action) => _afterCommit.Add(action);

    /// <summary>Sent once the batch is on disk, in the order of these calls.</summary>
    public void Send(OutboundMessage message) => _messages.Add(message);

    /// <summary>Remembers a thing's executions before their first change in this operation; the difference becomes its notifications.</summary>
    public void Touch(Thing thing) => _touched.TryAdd(thing, thing.Executions);

    public void BeginOperation()
    {
        _mark = (_undo.Count, _afterCommit.Count, _messages.Count);
        _operationRows.Clear();
        _touched.Clear();
    }

    public void AcceptOperation()
    {
        foreach (var (row, body) in _operationRows)
        {
            _rows[row] = body;
        }

        foreach (var (thing, before) in _touched)
        {
            if (!ReferenceEquals(before, thing.Executions))
            {
                _messages.Add(OutboundMessage.JobsChanged(thing, before, thing.Executions));
            }
        }
    }

    public void RejectOperation()
    {
        UndoFrom(_mark.Undo);
        _afterCommit.RemoveRange(_mark.After, _afterCommit.Count - _mark.After);
        _messages.RemoveRange(_mark.Messages, _messages.Count - _mark.Messages);
    }

    public IEnumerable<RowChange> Rows() => _rows.Select(r => new RowChange(r.Key.Table, r.Key.Key, r.Value?.Invoke()));

    public void UndoAll()
    {
        UndoFrom(0);
        Clear();
    }

    public void Clear()
    {
        _undo.Clear();
        _rows.Clear();
        _afterCommit.Clear();
        _messages.Clear();
        _touched.Clear();
        _operationRows.Clear();
    }

    private void UndoFrom(int mark)
    {
        for (var i = _undo.Count - 1; i >= mark; i--)
        {
            _undo[i]();
        }

        _undo.RemoveRange(mark, _undo.Count - mark);
    }
}
