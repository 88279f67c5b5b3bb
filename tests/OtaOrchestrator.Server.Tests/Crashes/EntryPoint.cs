namespace OtaOrchestrator.Server.Tests.Crashes;

/// <summary>Runs the tests, or a part of the server that a test kills.</summary>
internal static class EntryPoint
{
    public static async Task<int> Main(string[] args)
    {
        if (args is [CrashHost.Verb, ..])
        {
            return await CrashHost.Run(args[1..]);
        }
        return args.Any(arg => arg is "--server" or "--internal-msbuild-node")
            ? await Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
            : await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
    }
}
