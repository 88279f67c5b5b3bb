using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OtaOrchestrator.AwsPolicies;

/// <summary>
/// A policy for each service that the product calls: exactly its operations and what AWS asks for beside them, on the resources that they can be limited to.
/// <c>${…}</c> is filled in by who sets the account up.
/// </summary>
public static class PolicyFiles
{
    /// <summary>Where an operation is allowed; an operation that no row names is an error, so that nothing is granted unseen.</summary>
    private static readonly Grant[] Grants =
    [
        new("Amazon.Lambda", "lambda", "lambda", ["GetFunctionConfiguration", "ListVersionsByFunction", "UpdateFunctionCode", "PublishVersion", "GetAlias", "UpdateAlias"],
            ["arn:${partition}:lambda:${region}:${account}:function:${function}", "arn:${partition}:lambda:${region}:${account}:function:${function}:*"])
        {
            // Lambda reads the code with the rights of who updates it.
            Beside = [new("s3", ["GetObject", "GetObjectVersion"], ["arn:${partition}:s3:::${code_bucket}/*"])],
        },
        new("Amazon.CodeDeploy", "codedeploy", "codedeploy", ["GetDeploymentGroup", "CreateDeployment", "GetDeployment", "ListDeployments", "BatchGetDeployments", "ContinueDeployment", "StopDeployment"],
            ["arn:${partition}:codedeploy:${region}:${account}:application:${application}", "arn:${partition}:codedeploy:${region}:${account}:deploymentgroup:${application}/${deployment_group}"])
        {
            // What a deployment is made with, and the registering of its revision, are permissions of their own.
            Beside = [new("codedeploy", ["GetDeploymentConfig", "RegisterApplicationRevision", "GetApplicationRevision"], ["arn:${partition}:codedeploy:${region}:${account}:deploymentconfig:*", "arn:${partition}:codedeploy:${region}:${account}:application:${application}"])],
        },
        // Its permissions are the methods of its REST interface.
        new("Amazon.APIGateway", "apigateway", "apigateway", ["GetStage", "UpdateStage"], ["arn:${partition}:apigateway:${region}::/restapis/${rest_api}/stages/${stage}"])
        {
            Permissions = new() { ["GetStage"] = "GET", ["UpdateStage"] = "PATCH" },
        },
        new("Amazon.APIGateway", "apigateway", "apigateway", ["GetDeployment"], ["arn:${partition}:apigateway:${region}::/restapis/${rest_api}/deployments/*"])
        {
            Permissions = new() { ["GetDeployment"] = "GET" },
        },
        new("Amazon.CloudFront", "cloudfront", "cloudfront", ["GetDistribution", "GetDistributionConfig", "UpdateDistribution", "UpdateDistributionWithStagingConfig", "CopyDistribution", "DeleteDistribution"],
            ["arn:${partition}:cloudfront::${account}:distribution/*"])
        {
            // A copy is made, too.
            Beside = [new("cloudfront", ["CreateDistribution"], ["arn:${partition}:cloudfront::${account}:distribution/*"])],
        },
        new("Amazon.CloudFront", "cloudfront", "cloudfront", ["GetContinuousDeploymentPolicy", "CreateContinuousDeploymentPolicy", "UpdateContinuousDeploymentPolicy", "DeleteContinuousDeploymentPolicy"],
            ["arn:${partition}:cloudfront::${account}:continuous-deployment-policy/*"]),
        new("Amazon.CloudFront", "cloudfront", "cloudfront", ["ListDistributions", "ListContinuousDeploymentPolicies"], ["*"]),
        new("Amazon.CloudFront", "firmware-edge", "cloudfront", ["CreateInvalidation", "GetInvalidation", "GetDistributionConfig"], ["arn:${partition}:cloudfront::${account}:distribution/${firmware_distribution}"]),
        new("Amazon.CloudWatch", "cloudwatch", "cloudwatch", ["DescribeAlarms", "GetMetricData"], ["*"]),
        new("Amazon.CloudTrail", "cloudtrail", "cloudtrail", ["LookupEvents"], ["*"]),
        new("Amazon.IoT", "iot-fleet", "iot", ["CreateJob", "DescribeJob", "GetJobDocument", "CancelJob"],
            ["arn:${partition}:iot:${region}:${account}:job/ota-*", "arn:${partition}:iot:${region}:${account}:job/AFR_OTA-ota-*", "arn:${partition}:iot:${region}:${account}:thinggroup/${fleet}", "arn:${partition}:iot:${region}:${account}:thinggroup/${fleet}-*"])
        {
            // The links in a job's document are signed by this role.
            Beside = [new("iam", ["PassRole"], ["${presign_role_arn}"])],
        },
        new("Amazon.IoT", "iot-fleet", "iot", ["CancelJobExecution", "DescribeJobExecution", "ListJobExecutionsForJob"],
            ["arn:${partition}:iot:${region}:${account}:job/ota-*", "arn:${partition}:iot:${region}:${account}:job/AFR_OTA-ota-*", "arn:${partition}:iot:${region}:${account}:thing/*"]),
        new("Amazon.IoT", "iot-fleet", "iot", ["CreateOTAUpdate", "GetOTAUpdate", "DeleteOTAUpdate"], ["arn:${partition}:iot:${region}:${account}:otaupdate/ota-*"])
        {
            // One that AWS could not make is deleted together with its stream.
            Beside = [new("iot", ["DeleteStream"], ["arn:${partition}:iot:${region}:${account}:stream/AFR_OTA-ota-*"])],
        },
        new("Amazon.IoT", "iot-fleet", "iot", ["CreateThingGroup", "DescribeThingGroup", "ListThingsInThingGroup", "AddThingToThingGroup", "RemoveThingFromThingGroup"],
            ["arn:${partition}:iot:${region}:${account}:thinggroup/${fleet}", "arn:${partition}:iot:${region}:${account}:thinggroup/${fleet}-*", "arn:${partition}:iot:${region}:${account}:thing/*"]),
        new("Amazon.IoT", "iot-fleet", "iot", ["DescribeThing", "UpdateThing", "ListThingGroupsForThing", "ListThingPrincipals", "ListJobExecutionsForThing"], ["arn:${partition}:iot:${region}:${account}:thing/*"]),
        new("Amazon.IoT", "iot-fleet", "iot", ["DescribeCertificate", "UpdateCertificate"], ["arn:${partition}:iot:${region}:${account}:cert/*"]),
        new("Amazon.IoT", "iot-fleet", "iot", ["SearchIndex", "GetStatistics", "GetCardinality", "GetBucketsAggregation"], ["arn:${partition}:iot:${region}:${account}:index/AWS_Things"]),
        new("Amazon.IoT", "iot-fleet", "iot", ["ListJobs", "ListOTAUpdates", "ListThingGroups", "GetIndexingConfiguration"], ["*"]),
        new("Amazon.S3", "iot-fleet", "s3", ["PutObject", "GetObjectMetadata", "InitiateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "AbortMultipartUpload", "ListParts"], ["arn:${partition}:s3:::${firmware_bucket}/*"])
        {
            Permissions = new() { ["GetObjectMetadata"] = "GetObject", ["InitiateMultipartUpload"] = "PutObject", ["UploadPart"] = "PutObject", ["CompleteMultipartUpload"] = "PutObject", ["ListParts"] = "ListMultipartUploadParts" },
        },
        new("Amazon.S3", "iot-fleet", "s3", ["GetObjectLockConfiguration", "GetPublicAccessBlock"], ["arn:${partition}:s3:::${firmware_bucket}"])
        {
            Permissions = new() { ["GetObjectLockConfiguration"] = "GetBucketObjectLockConfiguration", ["GetPublicAccessBlock"] = "GetBucketPublicAccessBlock" },
        },
        // Without it, S3 says of what is not there that it must not be seen.
        new("Amazon.S3", "iot-fleet", "s3", ["ListMultipartUploads"], ["arn:${partition}:s3:::${firmware_bucket}"])
        {
            Permissions = new() { ["ListMultipartUploads"] = "ListBucketMultipartUploads" },
            Beside = [new("s3", ["ListBucket"], ["arn:${partition}:s3:::${firmware_bucket}"])],
        },
        new("Amazon.IdentityManagement", "controls", "iam", ["GetRole", "ListRolePolicies", "GetRolePolicy", "ListAttachedRolePolicies", "SimulatePrincipalPolicy"], ["arn:${partition}:iam::${account}:role/*"]),
        // Policies of AWS's own, too.
        new("Amazon.IdentityManagement", "controls", "iam", ["GetPolicy", "GetPolicyVersion"], ["*"]),
        new("Amazon.CloudTrail", "controls", "cloudtrail", ["DescribeTrails", "GetTrailStatus"], ["*"]),
        new("Amazon.SecurityHub", "controls", "securityhub", ["DescribeHub", "GetFindings"], ["*"]),
        new("Amazon.AccessAnalyzer", "controls", "access-analyzer", ["ListAnalyzers", "ListFindings"], ["*"]),
        new("Amazon.S3Control", "controls", "s3", ["GetPublicAccessBlock"], ["*"])
        {
            Permissions = new() { ["GetPublicAccessBlock"] = "GetAccountPublicAccessBlock" },
        },
        // Everybody may ask who they are.
        new("Amazon.SecurityToken", "controls", "sts", ["GetCallerIdentity"], []),
    ];

    /// <summary>File name to text, of the operations that are called.</summary>
    /// <exception cref="InvalidOperationException">An operation is called that no row grants.</exception>
    public static IReadOnlyDictionary<string, string> Of(IReadOnlyCollection<(string Service, string Operation)> called)
    {
        if (called.Where(one => !Array.Exists(Grants, grant => grant.Service == one.Service && grant.Operations.Contains(one.Operation))).ToList() is { Count: > 0 } unknown)
        {
            throw new InvalidOperationException($"no row says where these are allowed: {string.Join(", ", unknown.Select(one => $"{one.Service} {one.Operation}"))}");
        }

        return Grants.GroupBy(grant => grant.File).ToDictionary(file => file.Key + ".json", file => Text(file.SelectMany(grant => Statements(grant, called))));
    }

    /// <summary>The permission that a call needs: <c>lambda:UpdateAlias</c>; null where everybody has it.</summary>
    public static string? Permission((string Service, string Operation) call)
    {
        var grant = Array.Find(Grants, grant => grant.Service == call.Service && grant.Operations.Contains(call.Operation)) ?? throw new InvalidOperationException($"no row says where {call.Service} {call.Operation} is allowed");
        return grant.Resources.Length == 0 ? null : $"{grant.Prefix}:{grant.Permissions.GetValueOrDefault(call.Operation, call.Operation)}";
    }

    private static IEnumerable<JsonNode> Statements(Grant grant, IReadOnlyCollection<(string Service, string Operation)> called)
    {
        var used = grant.Operations.Where(operation => called.Contains((grant.Service, operation))).ToList();
        if (used.Count == 0 || grant.Resources.Length == 0)
        {
            yield break;
        }

        yield return Statement(grant.Prefix, used.Select(operation => grant.Permissions.GetValueOrDefault(operation, operation)).Distinct(), grant.Resources);
        foreach (var beside in grant.Beside)
        {
            yield return Statement(beside.Prefix, beside.Actions, beside.Resources);
        }
    }

    private static JsonObject Statement(string prefix, IEnumerable<string> actions, IEnumerable<string> resources) => new()
    {
        ["Effect"] = "Allow",
        ["Action"] = new JsonArray([.. actions.Order(StringComparer.Ordinal).Select(action => (JsonNode)$"{prefix}:{action}")]),
        ["Resource"] = new JsonArray([.. resources.Select(resource => (JsonNode)resource)]),
    };

    private static string Text(IEnumerable<JsonNode> statements) =>
        new JsonObject { ["Version"] = "2012-10-17", ["Statement"] = new JsonArray([.. statements]) }
            .ToJsonString(new JsonSerializerOptions { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }) + "\n";

    private sealed record Grant(string Service, string File, string Prefix, string[] Operations, string[] Resources)
    {
        public (string Prefix, string[] Actions, string[] Resources)[] Beside { get; init; } = [];

        /// <summary>What the permission for an operation is named, where not as the operation.</summary>
        public Dictionary<string, string> Permissions { get; init; } = [];
    }
}
