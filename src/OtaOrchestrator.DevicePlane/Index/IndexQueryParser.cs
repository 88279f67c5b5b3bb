using System.Text;

namespace OtaOrchestrator.DevicePlane.Index;

/// <summary>
/// The subset of AWS fleet indexing's query language: <c>field:value</c>, <c>field:"a value"</c>, <c>field:(a OR b)</c>, <c>abc*</c>,
/// comparisons, <c>[1 TO 5]</c> and <c>{1 TO 5}</c>, AND (also by standing side by side), OR, NOT, a leading minus, parentheses, <c>*</c>.
/// </summary>
internal sealed class IndexQueryParser
{
    public const int MaxChars = 1000;
    private const int MaxDepth = 32;

    private readonly string _text;
    private int _at;
    private int _depth;

    private IndexQueryParser(string text) => _text = text;

    /// <exception cref="RefusedException">InvalidQuery, with the position.</exception>
    public static IndexQuery Parse(string text)
    {
        if (text.Length > MaxChars)
        {
            throw new RefusedException(Refusal.InvalidQuery, $"a query may have {MaxChars} characters at most");
        }

        var parser = new IndexQueryParser(text);
        parser.SkipSpace();
        if (parser.AtEnd)
        {
            throw parser.Wrong("the query is empty");
        }

        var query = parser.ParseOr(null);
        return parser.AtEnd ? query : throw parser.Wrong($"unexpected '{parser.Current}'");
    }

    private bool AtEnd => _at >= _text.Length;

    private char Current => _text[_at];

    private IndexQuery ParseOr(IndexField? field)
    {
        if (++_depth > MaxDepth)
        {
            throw Wrong("the query is nested too deeply");
        }

        var left = ParseAnd(field);
        while (TryWord("OR"))
        {
            left = new IndexQuery.Or(left, ParseAnd(field));
        }

        _depth--;
        return left;
    }

    private IndexQuery ParseAnd(IndexField? field)
    {
        var left = ParseUnary(field);
        while (true)
        {
            if (TryWord("AND"))
            {
                left = new IndexQuery.And(left, ParseUnary(field));
                continue;
            }

            SkipSpace();
            if (AtEnd || Current == ')' || PeekWord("OR"))
            {
                return left;
            }

            // Inside field:(a b) AWS reads alternatives side by side as AND too.
            left = new IndexQuery.And(left, ParseUnary(field));
        }
    }

    private IndexQuery ParseUnary(IndexField? field)
    {
        var negations = 0;
        while (TryWord("NOT") || TryChar('-'))
        {
            negations++;
        }

        var query = ParsePrimary(field);
        return negations % 2 == 1 ? new IndexQuery.Not(query) : query;
    }

    private IndexQuery ParsePrimary(IndexField? field)
    {
        SkipSpace();
        if (AtEnd)
        {
            throw Wrong("a term is missing");
        }

        if (TryChar('('))
        {
            var inner = ParseOr(field);
            return TryChar(')') ? inner : throw Wrong("')' is missing");
        }

        if (field is not null)
        {
            return ParseValue(field);
        }

        if (Current == '*' && (_at + 1 == _text.Length || IsBoundary(_text[_at + 1])))
        {
            _at++;
            return IndexQuery.Everything;
        }

        var named = IndexField.Parse(ReadFieldName(), Refusal.InvalidQuery);
        if (TryChar(':'))
        {
            SkipSpace();
            if (TryChar('('))
            {
                var inner = ParseOr(named);
                return TryChar(')') ? inner : throw Wrong("')' is missing");
            }

            return ParseValue(named);
        }

        return ParseComparison(named);
    }

    private IndexQuery ParseValue(IndexField field)
    {
        SkipSpace();
        if (AtEnd)
        {
            throw Wrong("a value is missing");
        }

        switch (Current)
        {
            case '>' or '<':
                return ParseComparison(field);
            case '[' or '{':
                return ParseRange(field);
            case '"':
                return new IndexQuery.Equal(field, ReadQuoted());
        }

        var (value, wildcard) = ReadValue();
        return wildcard switch
        {
            false => new IndexQuery.Equal(field, value),
            true when value.Length == 0 => new IndexQuery.Exists(field),
            true => new IndexQuery.Prefix(field, value),
        };
    }

    private IndexQuery ParseComparison(IndexField field)
    {
        SkipSpace();
        var greater = !AtEnd && Current == '>';
        if (AtEnd || (Current != '>' && Current != '<'))
        {
            throw Wrong("':' or a comparison is missing after the field");
        }

        _at++;
        var inclusive = !AtEnd && Current == '=';
        if (inclusive)
        {
            _at++;
        }

        var bound = ReadBound();
        return greater ? new IndexQuery.Range(field, bound, inclusive, null, false) : new IndexQuery.Range(field, null, false, bound, inclusive);
    }

    private IndexQuery.Range ParseRange(IndexField field)
    {
        var fromInclusive = _text[_at++] == '[';
        var from = ReadBound();
        if (!TryWord("TO"))
        {
            throw Wrong("'TO' is missing in the range");
        }

        var to = ReadBound();
        SkipSpace();
        if (AtEnd || (Current != ']' && Current != '}'))
        {
            throw Wrong("the range isn't closed");
        }

        var toInclusive = _text[_at++] == ']';
        return new IndexQuery.Range(field, from == "*" ? null : from, fromInclusive, to == "*" ? null : to, toInclusive);
    }

    private string ReadBound()
    {
        SkipSpace();
        if (!AtEnd && Current == '"')
        {
            return ReadQuoted();
        }

        var (value, wildcard) = ReadValue();
        return wildcard && value.Length == 0 ? "*" : wildcard ? throw Wrong("a bound can't have a wildcard") : value;
    }

    private string ReadFieldName()
    {
        var start = _at;
        while (!AtEnd && !IsBoundary(Current) && Current is not (':' or '<' or '>' or '"' or '*' or '[' or ']' or '{' or '}'))
        {
            _at++;
        }

        return _at == start ? throw Wrong("a field is missing") : _text[start.._at];
    }

    /// <summary>Up to the next space or bracket; a backslash takes the next character as it is, a star may end it.</summary>
    private (string Value, bool Wildcard) ReadValue()
    {
        var value = new StringBuilder();
        while (!AtEnd && !IsBoundary(Current) && Current is not (']' or '}' or '"'))
        {
            if (Current == '*')
            {
                _at++;
                return AtEnd || IsBoundary(Current) || Current is ']' or '}' ? (value.ToString(), true) : throw Wrong("'*' may only end a value");
            }

            if (Current == '?')
            {
                throw Wrong("'?' isn't supported");
            }

            if (Current == '\\' && ++_at >= _text.Length)
            {
                throw Wrong("nothing follows the backslash");
            }

            value.Append(_text[_at++]);
        }

        return value.Length == 0 ? throw Wrong("a value is missing") : (value.ToString(), false);
    }

    private string ReadQuoted()
    {
        var value = new StringBuilder();
        for (_at++; !AtEnd; _at++)
        {
            if (Current == '"')
            {
                _at++;
                return value.ToString();
            }

            if (Current == '\\' && _at + 1 < _text.Length)
            {
                _at++;
            }

            value.Append(Current);
        }

        throw Wrong("the quotation isn't closed");
    }

    private static bool IsBoundary(char c) => char.IsWhiteSpace(c) || c is '(' or ')';

    private void SkipSpace()
    {
        while (!AtEnd && char.IsWhiteSpace(Current))
        {
            _at++;
        }
    }

    private bool TryChar(char c)
    {
        SkipSpace();
        if (AtEnd || Current != c)
        {
            return false;
        }

        _at++;
        return true;
    }

    private bool TryWord(string word)
    {
        if (!PeekWord(word))
        {
            return false;
        }

        _at += word.Length;
        return true;
    }

    private bool PeekWord(string word)
    {
        SkipSpace();
        var end = _at + word.Length;
        return string.CompareOrdinal(_text, _at, word, 0, word.Length) == 0 && (end == _text.Length || IsBoundary(_text[end]));
    }

    private RefusedException Wrong(string what) => new(Refusal.InvalidQuery, $"{what} (at {_at + 1})");
}
