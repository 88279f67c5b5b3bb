using System.Globalization;
using System.Text.RegularExpressions;

namespace OtaOrchestrator.Router.Routes;

/// <summary>Reports every violation at once.</summary>
internal sealed partial class RouteValidator(bool allowPlaintext)
{
    public const int RoutesMax = 100;
    public const int AddressesMax = 32;
    private const int AddressCharsMax = 200;

    public static bool IsName(string name) => NamePattern().IsMatch(name);

    public List<string> Violations(RouteSpec spec)
    {
        List<string> found = [];
        if (spec.Fence.Epoch < 0 || spec.Fence.Revision < 0)
        {
            found.Add("fence: epoch and revision are 0 or more");
        }
        Check("baseline", spec.Baseline, found);
        if (spec.Candidate is { } candidate)
        {
            Check("candidate", candidate, found);
            if (candidate.Release == spec.Baseline.Release)
            {
                found.Add("candidate.release: is the baseline's");
            }
            foreach (string shared in candidate.Addresses.Select(Canonical).Intersect(spec.Baseline.Addresses.Select(Canonical)))
            {
                found.Add(string.Create(CultureInfo.InvariantCulture, $"candidate.addresses: {Shown(shared)} is the baseline's too"));
            }
        }
        if (spec.CandidateWeight is not (>= 0 and <= 1))
        {
            found.Add("candidateWeight: is between 0 and 1");
        }
        else if (spec.Candidate is null && spec.CandidateWeight != 0)
        {
            found.Add("candidateWeight: is 0 without a candidate");
        }
        if (spec.Lease is { Seconds: < 1 or > 86_400 })
        {
            found.Add("lease.seconds: is between 1 and 86400");
        }
        if (spec.StickySeconds is < 1 or > 30 * 86_400)
        {
            found.Add("stickySeconds: is between 1 and 2592000");
        }
        if (spec.Mirror is not (null or (>= 0 and <= 1)))
        {
            found.Add("mirror: is between 0 and 1");
        }
        else if (spec.Candidate is null && spec.Mirror > 0)
        {
            found.Add("mirror: is 0 without a candidate");
        }
        if (spec.PreviewToken is { } token && !TokenPattern().IsMatch(token))
        {
            found.Add("previewToken: is 16 to 128 letters, digits, - or _");
        }
        return found;
    }

    /// <summary>One spelling per origin, so that a repeated or shared address is seen.</summary>
    public static string Canonical(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) ? uri.GetLeftPart(UriPartial.Authority) : address;

    private void Check(string field, Variant variant, List<string> found)
    {
        if (!ReleasePattern().IsMatch(variant.Release))
        {
            found.Add($"{field}.release: is name@version, each of up to 63 letters, digits, '.', '_', '-' (and '+' in the version)");
        }
        if (variant.Addresses.Count is 0 or > AddressesMax)
        {
            found.Add($"{field}.addresses: has between 1 and {AddressesMax} entries");
            return;
        }
        foreach (string? address in variant.Addresses)
        {
            if (Problem(address) is { } problem)
            {
                found.Add($"{field}.addresses: {Shown(address)} {problem}");
            }
        }
        if (variant.Addresses.Select(Canonical).Distinct(StringComparer.Ordinal).Count() != variant.Addresses.Count)
        {
            found.Add($"{field}.addresses: names an address twice");
        }
    }

    private string? Problem(string? address)
    {
        if (address is null || address.Length > AddressCharsMax || !Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Host.Length == 0)
        {
            return "is not an address such as https://10.0.0.7:9001";
        }
        if (uri.Scheme != Uri.UriSchemeHttps && !(allowPlaintext && uri.Scheme == Uri.UriSchemeHttp))
        {
            return allowPlaintext ? "is neither https nor http" : "is not https";
        }
        return uri.PathAndQuery != "/" || uri.UserInfo.Length > 0 || uri.Fragment.Length > 0 ? "has more than scheme, host and port" : null;
    }

    private static string Shown(string? text)
    {
        string clean = new((text ?? "null").Take(80).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c).ToArray());
        return $"'{clean}'";
    }

    [GeneratedRegex(@"\A[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9._-]{0,62}@[A-Za-z0-9][A-Za-z0-9._+-]{0,62}\z", RegexOptions.CultureInvariant)]
    private static partial Regex ReleasePattern();

    [GeneratedRegex(@"\A[A-Za-z0-9_-]{16,128}\z", RegexOptions.CultureInvariant)]
    private static partial Regex TokenPattern();
}
