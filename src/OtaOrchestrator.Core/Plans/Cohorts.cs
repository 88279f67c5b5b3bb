using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace OtaOrchestrator.Core.Plans;

/// <summary>The 100 fixed parts of a fleet. A wave is a set of them, permuted by the rollout, so that the same devices aren't always first.</summary>
public static class Cohorts
{
    public const int Count = 100;

    /// <summary>The name is one that a fleet gives its own groups: <c>c07</c>, or <c>cohorts</c>, which holds them.</summary>
    public static bool Takes(string group) => group is "cohorts" or ['c', >= '0' and <= '9', >= '0' and <= '9'];

    /// <summary>The cohort of a thing, 0 to 99: the first eight bytes of its name's SHA-256, modulo 100.</summary>
    public static int Of(string thing) =>
        (int)(BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(thing))) % Count);

    /// <summary>All cohorts in the order in which a rollout takes them.</summary>
    public static int[] Order(string rollout)
    {
        int[] order = [.. Enumerable.Range(0, Count)];
        var seed = SHA256.HashData(Encoding.UTF8.GetBytes(rollout));
        Span<byte> block = stackalloc byte[36];
        seed.CopyTo(block);
        for (int i = Count - 1; i > 0; i--)
        {
            BinaryPrimitives.WriteInt32BigEndian(block[32..], i);
            int j = (int)(BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(block)) % (ulong)(i + 1));
            (order[i], order[j]) = (order[j], order[i]);
        }
        return order;
    }

    /// <summary>The cohorts that a step adds to the ones before it.</summary>
    /// <param name="from">Share before, 0 to 1.</param>
    /// <param name="to">Share after, 0 to 1.</param>
    public static int[] Between(string rollout, double from, double to) => Order(rollout)[Index(from)..Math.Max(Index(from), Index(to))];

    private static int Index(double share) => (int)Math.Round(Math.Clamp(share, 0, 1) * Count);
}
