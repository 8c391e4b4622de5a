package org.hypergraft.patcher.cli;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The {@code hypergraft} command. Data goes to standard output, everything else to the error. */
@Command(
    name = "hypergraft",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = {
      "Pre-virtualizes x86 guest kernels: rewrites the paravirtual call sites of a distribution's"
          + " kernel offline, for a chosen hypervisor, as the kernel itself would at boot, and"
          + " proves the result by booting it.",
      ""
    },
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "Exit status: 0 ok, 1 internal error, 2 usage, 3 unsupported or damaged input,",
      "4 findings (differences, failed verification, ABI conflict), 5 the guest failed,",
      "6 a file could not be read or written.",
      "",
      "Try: hypergraft validate /boot/vmlinuz-$(uname -r) --target kvm"
    })
public final class Main implements Runnable {
  /** The commands by name, in the order of the help. */
  static final Map<String, Class<? extends DataCommand>> COMMANDS = commands();

  private static Map<String, Class<? extends DataCommand>> commands() {
    Map<String, Class<? extends DataCommand>> all = new LinkedHashMap<>();
    all.put("demo", DemoCommand.class);
    all.put("inspect", InspectCommand.class);
    all.put("sites", SitesCommand.class);
    all.put("patch", PatchCommand.class);
    all.put("verify", VerifyCommand.class);
    all.put("diff", DiffCommand.class);
    all.put("boot", BootCommand.class);
    all.put("validate", ValidateCommand.class);
    all.put("profile", ProfileCommand.class);
    all.put("targets", TargetsCommand.class);
    return Collections.unmodifiableMap(all);
  }

  @Spec private CommandSpec spec;

  /** Runs the command of this process and exits with its status. */
  public static void main(String[] args) {
    StandardOutput stdout = StandardOutput.ofProcess();
    PrintStream out = stdout.asPrintStream();
    PrintStream err = new PrintStream(System.err, true, StandardCharsets.UTF_8);
    int status = run(out, err, args);
    out.flush();
    if (stdout.failure() != null && !stdout.readerLeft()) {
      err.println("hypergraft: cannot write standard output: " + stdout.failure().getMessage());
      status = ExitStatus.FILE.code;
    }
    System.exit(status);
  }

  /**
   * Runs one command within this process.
   *
   * @return its exit status
   */
  public static int run(PrintStream out, PrintStream err, String... args) {
    Terminal terminal = new Terminal(out, err);
    CommandLine commands = new CommandLine(new Main(), new CommandFactory(terminal));
    addNamed(commands, args);
    commands.setOut(terminal.outWriter());
    commands.setErr(terminal.errWriter());
    commands.setCaseInsensitiveEnumValuesAllowed(true);
    commands.setUsageHelpAutoWidth(false);
    commands.setUsageHelpWidth(88);
    commands.setAbbreviatedOptionsAllowed(false);
    commands.setExpandAtFiles(false);
    commands.setParameterExceptionHandler((e, unused) -> usage(terminal, e));
    commands.setExecutionExceptionHandler((e, at, unused) -> failed(terminal, at, args, e));
    int status;
    try {
      status = commands.execute(args);
    } catch (OutOfMemoryError | StackOverflowError e) {
      status = failed(terminal, commands, args, e);
    }
    terminal.progress().clear();
    terminal.flush();
    return status;
  }

  /**
   * Adds the command that is named, or all, for the help and for what is no command. Each is set up
   * from its annotations; all of them take 0.03 CPU seconds more than one.
   */
  private static void addNamed(CommandLine commands, String... args) {
    Class<?> named = args.length == 0 ? null : COMMANDS.get(args[0]);
    for (Class<?> type : named == null ? COMMANDS.values() : List.of(named)) {
      commands.addSubcommand(type);
    }
  }

  private static int usage(Terminal terminal, ParameterException e) {
    CommandLine at = e.getCommandLine();
    String name = at.getCommandSpec().qualifiedName();
    terminal.complain(name, e.getMessage());
    CommandLine.UnmatchedArgumentException.printSuggestions(e, terminal.errWriter());
    terminal.errWriter().println("Try '" + name + " --help'.");
    return ExitStatus.USAGE.code;
  }

  private static int failed(Terminal terminal, CommandLine at, String[] args, Throwable e) {
    Failures.Failure failure = Failures.of(e);
    terminal.complain(at.getCommandSpec().qualifiedName(), failure.sentence());
    for (String arg : args) {
      if (arg.equals("--debug")) {
        e.printStackTrace(terminal.errWriter());
      }
    }
    return failure.status().code;
  }

  /** Reached when no command is named. */
  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }

  /** The version of the build, from the jar's manifest. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {"hypergraft " + (version == null ? "(unpackaged)" : version)};
    }
  }
}
