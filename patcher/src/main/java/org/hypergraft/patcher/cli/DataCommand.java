package org.hypergraft.patcher.cli;

import java.util.concurrent.Callable;
import org.hypergraft.patcher.report.Document;
import picocli.CommandLine.Option;

/** What all commands share: where they print, {@code --json}, {@code --debug} and the help. */
abstract class DataCommand implements Callable<Integer> {
  @Option(names = "--json", description = "Print one JSON document instead of text.")
  private boolean json;

  @Option(names = "--debug", description = "Print the stack trace of an internal error.")
  private boolean debug;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help and exit.")
  private boolean help;

  private Terminal terminal;

  final void attach(Terminal terminal) {
    this.terminal = terminal;
  }

  final Terminal terminal() {
    return terminal;
  }

  final boolean json() {
    return json;
  }

  /** Runs the command. */
  abstract ExitStatus run() throws Exception;

  @Override
  public final Integer call() throws Exception {
    return run().code;
  }

  /** Prints the result, in the form that was asked for. */
  final void print(Document document) {
    terminal.progress().clear();
    if (json) {
      document.json().writeTo(terminal.outWriter());
    } else {
      document.text(terminal.outWriter());
    }
    terminal.outWriter().flush();
  }
}
