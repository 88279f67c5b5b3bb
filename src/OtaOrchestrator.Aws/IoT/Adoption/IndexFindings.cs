using Amazon.IoT;
using Amazon.IoT.Model;

namespace OtaOrchestrator.Aws.IoT.Adoption;

/// <summary>What the fleet index of a region lacks: without it nobody can be counted or chosen.</summary>
internal static class IndexFindings
{
    public static IEnumerable<InventoryFinding> Of(ThingIndexingConfiguration? indexing)
    {
        if (indexing is null || indexing.ThingIndexingMode == ThingIndexingMode.OFF)
        {
            yield return new InventoryFinding("INDEX_OFF", true, "fleet indexing is off, so nothing can be counted", "aws iot update-indexing-configuration --thing-indexing-configuration thingIndexingMode=REGISTRY_AND_SHADOW,thingConnectivityIndexingMode=STATUS,namedShadowIndexingMode=ON,filter={namedShadowNames=[ota]}");
            yield break;
        }

        if (indexing.ThingIndexingMode != ThingIndexingMode.REGISTRY_AND_SHADOW || indexing.NamedShadowIndexingMode != NamedShadowIndexingMode.ON || indexing.Filter?.NamedShadowNames is { Count: > 0 } named && !named.Contains("ota"))
        {
            yield return new InventoryFinding("SHADOW_NOT_INDEXED", true, "the index does not cover the named shadow ota", "thingIndexingMode=REGISTRY_AND_SHADOW, namedShadowIndexingMode=ON, filter={namedShadowNames=[ota]}");
        }

        if (indexing.ThingConnectivityIndexingMode != ThingConnectivityIndexingMode.STATUS)
        {
            yield return new InventoryFinding("CONNECTIVITY_NOT_INDEXED", false, "the index does not know who is connected", "thingConnectivityIndexingMode=STATUS");
        }
    }
}
