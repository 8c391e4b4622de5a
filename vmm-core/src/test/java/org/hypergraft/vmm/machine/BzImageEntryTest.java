package org.hypergraft.vmm.machine;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.kernels.Kernels;
import org.hypergraft.vmm.boot.BootException;
import org.hypergraft.vmm.boot.BootProtocol;
import org.junit.jupiter.api.Test;

/** The three entry points of a bzImage: small ones that print, and kernels that unpack. */
class BzImageEntryTest {
  /** In 16-bit code: what DS:SI points at, CX bytes, to the serial port; then soft-off. */
  private static final String PRINT_16 = "ba f8 03 f3 6e ba 04 06 b8 00 34 ef f4";

  private static final String PRINT_32 = "66 ba f8 03 f3 6e 66 ba 04 06 66 b8 00 34 66 ef f4";

  private static RunReport run(GuestImage image, BootProtocol protocol) {
    MachineConfig config =
        MachineConfig.of(image).memory(32 << 20).protocol(protocol).commandLine("abc d=e").build();
    try (Machine machine = new Machine(config)) {
      RunReport report = machine.run();
      assertEquals(Outcome.POWER_OFF, report.outcome(), report::death);
      return report;
    }
  }

  private static String console(RunReport report) {
    return new String(report.console(), US_ASCII);
  }

  @Test
  void realModeCodeFindsItsHeaderAndCommandLine() {
    // mov esi, [cmd_line_ptr]; shr esi, 4; mov ds, si; xor si, si; mov cx, 7
    GuestImage image =
        new SmallBzImage()
            .code("66 8b 36 28 02 66 c1 ee 04 8e de 31 f6 b9 07 00" + PRINT_16)
            .image();
    assertEquals("abc d=e", console(run(image, BootProtocol.BZIMAGE16)));
  }

  @Test
  void protectedAndLongModeCodeFindsBootParams() {
    // mov esi, [esi + 0x228]; mov ecx, 7
    String code = "8b b6 28 02 00 00 b9 07 00 00 00" + PRINT_32;
    assertEquals(
        "abc d=e", console(run(new SmallBzImage().entry32(code).image(), BootProtocol.BZIMAGE32)));
    assertEquals(
        "abc d=e", console(run(new SmallBzImage().entry64(code).image(), BootProtocol.BZIMAGE64)));
  }

  @Test
  void programsWithoutAPayloadAreEnteredAlike() {
    String code = "8b b6 28 02 00 00 b9 07 00 00 00" + PRINT_32;
    GuestImage program = new SmallBzImage().entry32(code).entry64(code).standAlone();
    assertEquals(0x100200, program.elf().entry());
    assertEquals("abc d=e", console(run(program, BootProtocol.BZIMAGE32)));
    assertEquals("abc d=e", console(run(program, BootProtocol.LINUX64)));
  }

  @Test
  void onlyBzImagesHaveThoseEntries() {
    GuestImage elf = new SmallGuest().powerOff().image();
    MachineConfig config = MachineConfig.of(elf).protocol(BootProtocol.BZIMAGE32).build();
    BootException e = assertThrows(BootException.class, () -> new Machine(config));
    assertEquals("small guest is a vmlinux: protocol bzimage32 needs a bzImage", e.getMessage());
  }

  /** A double word at 0xcf8 is PCI's, a byte at 0xcf9 resets. */
  @Test
  void pciAddressesDoNotReset() {
    // mov eax, -1; mov dx, 0xcf8; out dx, eax; mov dx, 0xcf9; mov al, 6; out dx, al
    String code = "b8 ff ff ff ff 66 ba f8 0c ef 66 ba f9 0c b0 06 ee f4";
    MachineConfig config =
        MachineConfig.of(new SmallBzImage().entry32(code).image())
            .protocol(BootProtocol.BZIMAGE32)
            .build();
    try (Machine machine = new Machine(config)) {
      RunReport report = machine.run();
      assertEquals(Outcome.RESET, report.outcome());
      assertEquals(6, report.retired());
    }
  }

  /** One of the many; the others are rows of {@link KernelMatrixTest}. */
  @Test
  void aKernelUnpacksAndMovesItself() {
    GuestImage image = Kernels.image("5.10.262 cloud");
    RunReport report =
        KernelMatrixTest.boot(MachineConfig.of(image).protocol(BootProtocol.BZIMAGE16));
    // Symbols are right although the kernel chose its place at random.
    Map<String, Long> ports = report.exitsBySymbol().get(ExitCause.PORT);
    assertTrue(ports.getOrDefault("io_serial_out", 0L) > 10_000, ports::toString);
  }

  @Test
  void theMachineFindsAMovedKernel() {
    KernelMatrixTest.onlyInFullMatrix();
    GuestImage image = Kernels.image("5.10.262 cloud");
    try (Machine machine =
        new Machine(MachineConfig.of(image).protocol(BootProtocol.BZIMAGE64).build())) {
      machine.atUserspace(view -> false);
      assertEquals(Outcome.STOPPED, machine.run().outcome());
      long moved = machine.view().kaslrOffset();
      assertNotEquals(0, moved);
      long text = image.symbols().addressOf("_text");
      assertArrayEquals(
          machine.view().virtual(text + moved, 4096), machine.view().image(text, 4096));
    }
  }
}
