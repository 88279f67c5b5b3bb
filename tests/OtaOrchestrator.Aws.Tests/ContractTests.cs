using OtaOrchestrator.Aws.Tests.ApiGateway;
using OtaOrchestrator.Aws.Tests.CloudFront;
using OtaOrchestrator.Aws.Tests.CodeDeploy;
using OtaOrchestrator.Aws.Tests.Doubles;
using OtaOrchestrator.Aws.Tests.Lambda;
using OtaOrchestrator.Contracts;

namespace OtaOrchestrator.Aws.Tests;

public sealed class LambdaAliasContractTests(SharedDoubles aws) : TrafficTargetContract, IClassFixture<SharedDoubles>
{
    protected override async Task<TrafficLane> StartAsync() => await AliasFixture.StartAsync(aws.Aws, aws.NextName());
}

public sealed class StageContractTests(SharedDoubles aws) : TrafficTargetContract, IClassFixture<SharedDoubles>
{
    protected override async Task<TrafficLane> StartAsync() => await StageFixture.StartAsync(aws.Aws, aws.NextName());
}

public sealed class CloudFrontContractTests(SharedDoubles aws) : TrafficTargetContract, IClassFixture<SharedDoubles>
{
    protected override async Task<TrafficLane> StartAsync() => await EdgeFixture.StartAsync(aws.Aws, aws.NextName());
}

public sealed class CodeDeployServersContractTests(SharedDoubles aws) : TrafficTargetContract, IClassFixture<SharedDoubles>
{
    protected override async Task<TrafficLane> StartAsync() => await GroupFixture.StartAsync(aws.Aws, "Server", aws.NextName());
}

public sealed class CodeDeployServicesContractTests(SharedDoubles aws) : TrafficTargetContract, IClassFixture<SharedDoubles>
{
    protected override async Task<TrafficLane> StartAsync() => await GroupFixture.StartAsync(aws.Aws, "ECS", aws.NextName());
}
