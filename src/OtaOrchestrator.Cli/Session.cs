using System.CommandLine;
using Grpc.Core;
using OtaOrchestrator.Cli.Connection;
using OtaOrchestrator.Cli.Output;

namespace OtaOrchestrator.Cli;

/// <summary>One run of one command: what was typed, where to print, the way to the server.</summary>
internal sealed class Session : IDisposable
{
    private readonly Lazy<Api> _api;

    public Session(CliHost host, ParseResult parse, CancellationToken cancellation)
    {
        Host = host;
        Parse = parse;
        Cancellation = cancellation;
        Home = HomeDirectory.Of(parse.GetValue(GlobalOptions.Home), host.Variable);
        var color = host.OutIsTerminal && !parse.GetValue(GlobalOptions.NoColor) && string.IsNullOrEmpty(host.Variable("NO_COLOR"));
        Report = new Report(host, parse.GetValue(GlobalOptions.Json), color, parse.GetValue(GlobalOptions.Quiet));
        _api = new Lazy<Api>(() => new Api(
            new ServerAddress(Home, parse.GetValue(GlobalOptions.Server), parse.GetValue(GlobalOptions.Actor) ?? host.Variable("OTA_AS")), host.Time, Report));
    }

    public CliHost Host { get; }
    public ParseResult Parse { get; }
    public HomeDirectory Home { get; }
    public Report Report { get; }
    public CancellationToken Cancellation { get; }

    /// <summary>Opened at first use; throws <see cref="CliFailure"/> when no server is known.</summary>
    public Api Api => _api.Value;

    public T? Get<T>(Option<T> option) => Parse.GetValue(option);

    public T Required<T>(Argument<T> argument) => Parse.GetRequiredValue(argument);

    public void Dispose()
    {
        if (_api.IsValueCreated)
        {
            _api.Value.Dispose();
        }
    }
}

internal static class SessionActions
{
    /// <summary>Runs the action; every way to fail ends here, in one place, as text and exit code.</summary>
    public static Command Does(this Command command, CliHost host, Func<Session, Task<int>> action)
    {
        command.SetAction(async (parse, cancellation) =>
        {
            using var session = new Session(host, parse, cancellation);
            try
            {
                return await action(session);
            }
            catch (Exception failure) when (cancellation.IsCancellationRequested && failure is OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled })
            {
                session.Report.Interrupted();
                return ExitCode.Interrupted;
            }
            catch (CliFailure failure)
            {
                session.Report.Failed(failure);
                return failure.ExitCode;
            }
            catch (RpcException failure)
            {
                var said = RpcFailure.Explain(failure);
                session.Report.Failed(said);
                return said.ExitCode;
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                var said = new CliFailure(ExitCode.Failure, failure.Message);
                session.Report.Failed(said);
                return said.ExitCode;
            }
        });
        return command;
    }
}
