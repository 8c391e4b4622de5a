package org.hypergraft.patcher.cli;

import picocli.CommandLine;
import picocli.CommandLine.IFactory;

/** Creates the commands, and hands each the terminal it talks to. */
final class CommandFactory implements IFactory {
  private final Terminal terminal;

  CommandFactory(Terminal terminal) {
    this.terminal = terminal;
  }

  @Override
  public <K> K create(Class<K> type) throws Exception {
    K created = CommandLine.defaultFactory().create(type);
    if (created instanceof DataCommand command) {
      command.attach(terminal);
    }
    return created;
  }
}
