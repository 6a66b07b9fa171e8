package simplechat.support;

import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * What a shell and a manual know of the programs, made from the definitions that these are parsed
 * by: completion for bash and zsh, and the page that {@code man} shows.
 */
public final class ShellFiles {
  private static final List<String> MAINS =
      List.of(
          "simplechat.server.ServerMain",
          "simplechat.cli.ClientMain",
          "simplechat.cli.SendMain",
          "simplechat.bench.BenchMain");

  private final CommandLine chat = new CommandLine(CommandSpec.create().name("chat"));

  public ShellFiles() throws ClassNotFoundException {
    for (String main : MAINS) {
      CommandLine program = new CommandLine(Class.forName(main));
      String name = program.getCommandName().replace("chat ", "");
      chat.addSubcommand(name, program.setCommandName(name));
    }
  }

  /** As they parse their command lines. */
  public Collection<CommandLine> programs() {
    return chat.getSubcommands().values();
  }

  /** The files by their paths in the repository. */
  public Map<String, String> all() {
    return new TreeMap<>(
        Map.of(
            "completion/chat.bash",
            AutoComplete.bash("chat", chat),
            "completion/_chat",
            zsh(),
            "docs/chat.1",
            manual()));
  }

  private String zsh() {
    StringBuilder names = new StringBuilder();
    StringBuilder cases = new StringBuilder();
    chat.getSubcommands()
        .forEach(
            (name, program) -> {
              CommandSpec spec = program.getCommandSpec();
              names.append(" \\\n    '").append(name).append(':');
              names.append(quoted(description(spec))).append("'");
              cases.append("    ").append(name).append(") _arguments -s");
              spec.options().forEach(option -> cases.append(" \\\n      ").append(zsh(option)));
              cases.append(" ;;\n");
            });
    return """
        #compdef chat
        # Completion for zsh, for a directory of $fpath. Made from the programs' own options.
        _chat() {
          local -a programs=(%s
          )
          if (( CURRENT == 2 )); then
            _describe program programs
            return
          fi
          shift words
          (( CURRENT-- ))
          case $words[1] in
        %s  esac
        }
        _chat "$@"
        """
        .formatted(names, cases);
  }

  private static String zsh(OptionSpec option) {
    String text = quoted(description(option)).replace("[", "\\[").replace("]", "\\]");
    String value = option.arity().max() == 0 ? "" : ":" + option.paramLabel() + ":";
    if (option.type() == Path.class) {
      value += "_files";
    }
    String rest = "'[" + text + "]" + value + "'";
    String names = String.join(",", option.names());
    return option.names().length == 1
        ? "'" + names + rest.substring(1)
        : "'(" + names.replace(',', ' ') + ")'{" + names + "}" + rest;
  }

  private String manual() {
    StringBuilder page = new StringBuilder();
    page.append(".\\\" Made from the programs' own options.\n");
    page.append(".TH CHAT 1 \"\" \"Simple Chat\" \"Simple Chat\"\n.SH NAME\n");
    page.append("chat \\- one room, and what one says all the others read\n.SH SYNOPSIS\n");
    chat.getSubcommands()
        .forEach(
            (name, program) -> {
              boolean text = !program.getCommandSpec().positionalParameters().isEmpty();
              page.append(".B chat ").append(name).append("\n[\\fIOPTION\\fR]...");
              page.append(text ? " [\\fITEXT\\fR]...\n.br\n" : "\n.br\n");
            });
    chat.getSubcommands()
        .forEach(
            (name, program) -> {
              CommandSpec spec = program.getCommandSpec();
              page.append(".SH CHAT ").append(name.toUpperCase(Locale.ROOT)).append('\n');
              page.append(roff(description(spec))).append('\n');
              spec.positionalParameters()
                  .forEach(text -> item(page, "\\fI" + text.paramLabel() + "\\fR", text));
              spec.options().forEach(option -> item(page, heading(option), option));
              for (String line : spec.usageMessage().footer()) {
                String shown = text(line);
                page.append(shown.isBlank() ? ".PP\n" : roff(shown) + "\n");
              }
            });
    return page.toString();
  }

  private static void item(StringBuilder page, String heading, ArgSpec arg) {
    page.append(".TP\n").append(heading).append('\n').append(roff(description(arg))).append('\n');
  }

  private static String heading(OptionSpec option) {
    String names = "\\fB" + roff(String.join(", ", option.names())).replace(", ", "\\fR, \\fB");
    return names
        + "\\fR"
        + (option.arity().max() == 0 ? "" : " \\fI" + option.paramLabel() + "\\fR");
  }

  private static String description(CommandSpec spec) {
    return text(String.join(" ", spec.usageMessage().description()));
  }

  private static String description(ArgSpec arg) {
    String text = String.join(" ", arg.description());
    return text(text.replace("${DEFAULT-VALUE}", String.valueOf(arg.initialValue())));
  }

  /** A line as picocli would print it, which takes it for a format. */
  private static String text(String line) {
    return line.replace("%n", " ").replace("%%", "%").strip();
  }

  private static String roff(String text) {
    String escaped = text.replace("\\", "\\e").replace("-", "\\-");
    return escaped.startsWith(".") || escaped.startsWith("'") ? "\\&" + escaped : escaped;
  }

  private static String quoted(String text) {
    return text.replace("'", "'\\''").replace(":", "\\:");
  }
}
