package org.hypergraft.vmm.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntConsumer;
import java.util.function.LongConsumer;
import org.hypergraft.annotator.abi.CpuVendor;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.vmm.boot.BootProtocol;
import org.hypergraft.vmm.boot.InitProgram;
import org.hypergraft.vmm.cpu.model.CpuModels;

/**
 * What to run and on what. Made by {@link #of}, changed by the {@code with} methods of the builder.
 *
 * @param image kernel
 * @param memory bytes of RAM, a multiple of 2 MiB
 * @param cpus processors, 1 to 8; those after the first wait until the guest starts them
 * @param cpuModel name of the CPU model
 * @param cpuVendor vendor it is presented as
 * @param hypervisor id of the hypervisor that the guest finds, "none" for bare hardware
 * @param initrd initramfs bytes, may be empty
 * @param commandLine for the kernel
 * @param kaslrOffset bytes that the kernel is moved up by
 * @param protocol entry to use, chosen by the image when empty
 * @param instructionBudget retired instructions after which the run ends
 * @param virtualBudgetNs virtual time after which the run ends, ns
 * @param console gets each byte of the serial port
 * @param progress told the retired instructions every {@link #PROGRESS_INTERVAL} of them
 * @param serialInput bytes that wait at the serial port
 * @param peer who sits at the other end of the serial line
 * @param tiers which engines run the guest
 * @param observers who watches the run from within
 */
public record MachineConfig(
    GuestImage image,
    long memory,
    int cpus,
    String cpuModel,
    CpuVendor cpuVendor,
    String hypervisor,
    byte[] initrd,
    String commandLine,
    long kaslrOffset,
    Optional<BootProtocol> protocol,
    long instructionBudget,
    long virtualBudgetNs,
    IntConsumer console,
    LongConsumer progress,
    byte[] serialInput,
    SerialPeer peer,
    Tiers tiers,
    List<Observer> observers) {
  /** Least memory that leaves room for a kernel. */
  public static final long MIN_MEMORY = 32L << 20;

  /** Instructions between two reports of progress. */
  public static final long PROGRESS_INTERVAL = 50_000_000;

  /** Most processors. */
  public static final int MAX_CPUS = 8;

  /** Console on the serial port; a panic ends the run. */
  public static final String DEFAULT_COMMAND_LINE = "console=ttyS0 panic=-1";

  private static final long MEMORY_UNIT = 2L << 20;

  public MachineConfig {
    observers = List.copyOf(observers);
    if (memory < MIN_MEMORY || memory % MEMORY_UNIT != 0) {
      throw new IllegalArgumentException(
          "memory of %d bytes: expected a multiple of 2 MiB, at least 32 MiB".formatted(memory));
    }
    if (cpus < 1 || cpus > MAX_CPUS) {
      throw new IllegalArgumentException(cpus + " processors: expected 1 to " + MAX_CPUS);
    }
    if (instructionBudget <= 0 || virtualBudgetNs <= 0) {
      throw new IllegalArgumentException("a budget must be positive");
    }
  }

  /** A validation boot: 256 MiB, one processor, our own initramfs, generous budgets. */
  public static Builder of(GuestImage image) {
    return new Builder(image);
  }

  /** Collects a configuration. */
  public static final class Builder {
    private final GuestImage image;
    private long memory = 256L << 20;
    private int cpus = 1;
    private String cpuModel = CpuModels.DEFAULT;
    private CpuVendor cpuVendor = CpuVendor.AMD;
    private String hypervisor = "none";
    private byte[] initrd;
    private String commandLine = DEFAULT_COMMAND_LINE;
    private long kaslrOffset;
    private Optional<BootProtocol> protocol = Optional.empty();
    private long instructionBudget = 20_000_000_000L;
    private long virtualBudgetNs = 3_600_000_000_000L;
    private IntConsumer console = b -> {};
    private LongConsumer progress = n -> {};
    private byte[] serialInput = {};
    private SerialPeer peer = SerialPeer.NOBODY;
    private Tiers tiers = Tiers.COMPILED;
    private final List<Observer> observers = new ArrayList<>();

    private Builder(GuestImage image) {
      this.image = image;
      initrd = InitProgram.initramfs(image.is64Bit());
    }

    public Builder memory(long bytes) {
      memory = bytes;
      return this;
    }

    public Builder cpus(int count) {
      cpus = count;
      return this;
    }

    public Builder cpuModel(String name) {
      cpuModel = name;
      return this;
    }

    public Builder cpuVendor(CpuVendor vendor) {
      cpuVendor = vendor;
      return this;
    }

    public Builder hypervisor(String id) {
      hypervisor = id;
      return this;
    }

    public Builder initrd(byte[] bytes) {
      initrd = bytes.clone();
      return this;
    }

    public Builder commandLine(String line) {
      commandLine = line;
      return this;
    }

    public Builder kaslrOffset(long bytes) {
      kaslrOffset = bytes;
      return this;
    }

    public Builder protocol(BootProtocol entry) {
      protocol = Optional.of(entry);
      return this;
    }

    public Builder instructionBudget(long instructions) {
      instructionBudget = instructions;
      return this;
    }

    public Builder virtualBudgetNs(long ns) {
      virtualBudgetNs = ns;
      return this;
    }

    /** Where the guest's serial output goes as it is written, besides the report. */
    public Builder console(IntConsumer sink) {
      console = sink;
      return this;
    }

    public Builder progress(LongConsumer listener) {
      progress = listener;
      return this;
    }

    public Builder serialInput(byte[] bytes) {
      serialInput = bytes.clone();
      return this;
    }

    /** Somebody who reads the console and types. */
    public Builder peer(SerialPeer newPeer) {
      peer = newPeer;
      return this;
    }

    public Builder tiers(Tiers engines) {
      tiers = engines;
      return this;
    }

    /** Adds somebody who watches the run. */
    public Builder observer(Observer another) {
      observers.add(another);
      return this;
    }

    /** Has one observer watch the run and nobody else. */
    public Builder onlyObserver(Observer only) {
      observers.clear();
      return observer(only);
    }

    public MachineConfig build() {
      return new MachineConfig(
          image,
          memory,
          cpus,
          cpuModel,
          cpuVendor,
          hypervisor,
          initrd,
          commandLine,
          kaslrOffset,
          protocol,
          instructionBudget,
          virtualBudgetNs,
          console,
          progress,
          serialInput,
          peer,
          tiers,
          observers);
    }
  }
}
