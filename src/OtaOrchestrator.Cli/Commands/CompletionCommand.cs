using System.CommandLine;

namespace OtaOrchestrator.Cli.Commands;

internal static class CompletionCommand
{
    private const string Bash =
        """
        # bash completion for ota: source <(ota completion bash)
        _ota() {
          local IFS=$'\n'
          COMPREPLY=($(compgen -W "$(ota "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _ota ota
        """;

    private const string Zsh =
        """
        #compdef ota
        # zsh completion for ota: source <(ota completion zsh)
        _ota() {
          local -a found
          found=("${(@f)$(ota "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
          compadd -- "${found[@]}"
        }
        compdef _ota ota
        """;

    private const string Fish =
        """
        # fish completion for ota: ota completion fish | source
        complete -c ota -f -a '(set -l line (commandline -cp); ota "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null)'
        """;

    public static Command Create(CliHost host)
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        return new Command("completion", "Print the completion script of a shell.") { shell }.Does(host, session =>
        {
            host.Out.WriteLine(session.Required(shell) switch { "bash" => Bash, "zsh" => Zsh, _ => Fish });
            return Task.FromResult(ExitCode.Ok);
        });
    }
}
