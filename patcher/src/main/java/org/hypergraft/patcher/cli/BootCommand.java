package org.hypergraft.patcher.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.hypergraft.annotator.abi.CpuVendor;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.site.SiteMap;
import org.hypergraft.patcher.report.BootReport;
import org.hypergraft.patcher.report.LockStepReport;
import org.hypergraft.patcher.validate.TableOwners;
import org.hypergraft.vmm.boot.BootProtocol;
import org.hypergraft.vmm.boot.InitProgram;
import org.hypergraft.vmm.machine.Machine;
import org.hypergraft.vmm.machine.MachineConfig;
import org.hypergraft.vmm.machine.Outcome;
import org.hypergraft.vmm.machine.RunReport;
import org.hypergraft.vmm.machine.SerialScript;
import org.hypergraft.vmm.machine.Tiers;
import org.hypergraft.vmm.observe.LockStep;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Boots an image on the bundled machine. */
@Command(
    name = "boot",
    description = {
      "Boot an image on the bundled machine, which is deterministic: the same image and options"
          + " give the same console and counts on any host. The console goes to standard output, a"
          + " summary to standard error.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  hypergraft boot /boot/vmlinuz-$(uname -r) --hypervisor kvm",
      "  hypergraft boot vmlinux-kvm --hypervisor kvm --kaslr-offset 0x1000000",
      "  hypergraft boot vmlinuz --initrd my.cpio --cmdline 'console=ttyS0 quiet' --memory 512M",
      "  hypergraft boot vmlinuz --initrd busybox.cpio --interactive",
      "  hypergraft boot vmlinuz --protocol bzimage16 --script session.txt",
      "  hypergraft boot vmlinuz --gdb 1234       then: gdb -ex 'target remote :1234'",
      "  hypergraft boot vmlinuz --break panic    what led to a panic",
      "  hypergraft boot vmlinuz --trace log.txt --trace-from start_kernel --trace-limit 5000",
      "  hypergraft boot vmlinuz --trace - --trace-events --trace-limit 50",
      "  hypergraft boot vmlinuz --hot 20         where the instructions go",
      "  hypergraft boot vmlinuz --lockstep       both engines compared"
    })
final class BootCommand extends DataCommand {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "IMAGE",
      description = "bzImage, vmlinux or other kernel.")
  private Path image;

  @Option(
      names = "--hypervisor",
      paramLabel = "NAME",
      converter = HypervisorConverter.class,
      completionCandidates = HypervisorConverter.Names.class,
      defaultValue = "none",
      description = "What the guest finds itself on: ${COMPLETION-CANDIDATES} (default: none).")
  private String hypervisor;

  @Option(
      names = "--cpus",
      paramLabel = "N",
      defaultValue = "1",
      description = "Processors, 1 to 8 (default: 1).")
  private int cpus;

  @Option(
      names = "--cpu-vendor",
      paramLabel = "VENDOR",
      description = "Vendor of the processor: ${COMPLETION-CANDIDATES}.")
  private CpuVendor vendor;

  @Option(
      names = "--kaslr-offset",
      paramLabel = "BYTES",
      converter = HexOrDecimal.class,
      defaultValue = "0",
      description = "Move the kernel up by a multiple of 2 MiB, as its boot stub would.")
  private long kaslrOffset;

  @Option(
      names = "--protocol",
      paramLabel = "NAME",
      description = "How to enter the kernel: ${COMPLETION-CANDIDATES} (default: what it offers).")
  private BootProtocol protocol;

  @Option(
      names = "--write-initramfs",
      paramLabel = "FILE",
      description =
          "Write the initramfs that is used without --initrd to FILE; with no IMAGE, end.")
  private Path initramfsFile;

  @ArgGroup private Session session;

  @Mixin private MachineOptions machine;

  @Mixin private ObserverOptions observers;

  @Spec private CommandSpec spec;

  /** Who uses the serial console, if anybody. */
  private static final class Session {
    @Option(
        names = "--script",
        paramLabel = "FILE",
        description =
            "Hold a session on the serial console: lines of 'expect TEXT' and 'send TEXT'. After a"
                + " last 'expect' the run ends.")
    private Path script;

    @Option(
        names = "--interactive",
        description = "Connect the terminal to the serial console. Ctrl-] ends the run.")
    private boolean interactive;
  }

  @Override
  ExitStatus run() throws IOException {
    if (initramfsFile != null) {
      OutputFile.write(initramfsFile, InitProgram.initramfs());
      if (image == null) {
        return ExitStatus.OK;
      }
    }
    if (image == null) {
      throw new ParameterException(spec.commandLine(), "which image? name it");
    }
    machine.check(cpus, kaslrOffset);
    observers.check();
    GuestImage guest = ImageFile.read(image);
    machine.checkSealed(guest, hypervisor, vendor, cpus);
    if (observers.lockStep()) {
      return lockStep(guest);
    }
    MachineConfig.Builder builder = builder(guest);
    SerialScript script = script();
    if (script != null) {
      builder.peer(script);
    }
    RunReport report = observed(builder, guest);
    BootReport document =
        new BootReport(image.toString(), hypervisor, report, new TableOwners(SiteMap.of(guest)))
            .with(observers.hot(), observers.stopState());
    if (json()) {
      print(document);
    } else {
      terminal().out().flush();
      document.text(terminal().errWriter());
    }
    if (script != null && !script.unmet().isEmpty()) {
      terminal().complain("boot", script.unmet());
      return ExitStatus.GUEST;
    }
    if (observers.missed().isPresent()) {
      terminal().complain("boot", observers.missed().get());
      return ExitStatus.GUEST;
    }
    boolean hungUp = report.outcome() == Outcome.STOPPED; // nothing else stops this run
    return report.succeeded() || hungUp ? ExitStatus.OK : ExitStatus.GUEST;
  }

  private MachineConfig.Builder builder(GuestImage guest) throws IOException {
    MachineConfig.Builder builder =
        machine.machine(guest, hypervisor, vendor).cpus(cpus).kaslrOffset(kaslrOffset);
    if (protocol != null) {
      builder.protocol(protocol);
    }
    return builder;
  }

  private RunReport observed(MachineConfig.Builder builder, GuestImage guest) throws IOException {
    try {
      observers.attach(builder, guest, terminal());
      return interactive() ? runWithKeyboard(builder) : run(builder);
    } finally {
      observers.close();
    }
  }

  private ExitStatus lockStep(GuestImage guest) throws IOException {
    if (session != null) {
      throw CommandFailure.usage("--lockstep runs two machines, which cannot share a session");
    }
    MachineConfig.Builder quiet = builder(guest);
    LockStep.Pair pair =
        (second, observer) ->
            new Machine(
                quiet
                    .tiers(second ? Tiers.FORCED : Tiers.INTERPRETER)
                    .onlyObserver(observer)
                    .build());
    LockStep run =
        new LockStep(
            pair,
            observers.lockStepInterval(),
            n -> terminal().progress().show("compared up to instruction " + n),
            terminal()::note);
    LockStep.Result result = run.run();
    print(new LockStepReport(image.toString(), result));
    return result.equal() ? ExitStatus.OK : ExitStatus.FINDINGS;
  }

  private SerialScript script() throws IOException {
    if (session == null || session.script == null) {
      return null;
    }
    try {
      return SerialScript.parse(Files.readAllLines(session.script));
    } catch (CharacterCodingException e) {
      throw CommandFailure.usage(session.script + ": not UTF-8 text");
    } catch (IllegalArgumentException e) {
      throw CommandFailure.usage(session.script + ": " + e.getMessage());
    }
  }

  private boolean interactive() {
    return session != null && session.interactive;
  }

  private RunReport run(MachineConfig.Builder builder) {
    if (!json()) {
      builder.console(new LineFlush(terminal().out())::put);
    }
    try (Machine m = new Machine(builder.build())) {
      return m.run();
    }
  }

  private RunReport runWithKeyboard(MachineConfig.Builder builder) {
    PrintStream screen = json() ? System.err : terminal().out();
    try (Keyboard keyboard = new Keyboard(System.in, screen);
        Machine m = new Machine(builder.peer(keyboard).build())) {
      return m.run();
    }
  }

  /** Passes the console on line by line, so that a person sees it as it comes. */
  private static final class LineFlush {
    private final PrintStream out;

    LineFlush(PrintStream out) {
      this.out = out;
    }

    void put(int b) {
      out.write(b);
      if (b == '\n') {
        out.flush();
      }
    }
  }
}
