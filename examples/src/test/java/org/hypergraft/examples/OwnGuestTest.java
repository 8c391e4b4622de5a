package org.hypergraft.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.hypergraft.patcher.cli.Main;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The whole way on the small guest that comes along: needs no kernel. */
class OwnGuestTest {
  @TempDir Path folder;
  private Path guest;

  @BeforeEach
  void unpack() throws IOException {
    guest = folder.resolve("guest.elf");
    try (InputStream in = Main.class.getResourceAsStream("guest.elf")) {
      Files.write(guest, in.readAllBytes());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"native", "kvm"})
  void isPatchedAsItPatchesItself(String target) {
    Cli run = Cli.run("validate", guest, "--target", target);
    assertEquals(0, run.status(), run.all());
    assertTrue(run.out().contains("6 sites, 36 bytes compared"), run.out());
    assertTrue(run.out().contains("0 differ"), run.out());
  }

  @Test
  void seesTheHypervisorItRunsOn() {
    Cli kvm = Cli.run("boot", guest, "--hypervisor", "kvm");
    assertEquals(0, kvm.status(), kvm.all());
    assertTrue(kvm.out().contains("Hypervisor detected: KVM\n"), kvm.out());
    Cli bare = Cli.run("boot", guest);
    assertTrue(bare.out().contains("No hypervisor detected\n"), bare.out());
    assertTrue(bare.out().endsWith("USERSPACE-OK\n"), bare.out());
  }

  @Test
  void bootsAlike() {
    Cli first = Cli.run("boot", guest, "--hypervisor", "kvm", "--json");
    Cli second = Cli.run("boot", guest, "--hypervisor", "kvm", "--json");
    assertEquals(guestPart(first.out()), guestPart(second.out()));
  }

  /** The report without what it cost the host. */
  private static String guestPart(String json) {
    return json.substring(0, json.indexOf("\"host\""));
  }

  @Test
  void aGuestThatIsGivenUpIsStatusFive() {
    Cli run = Cli.run("boot", guest, "--budget", "1000");
    assertEquals(5, run.status(), run.all());
    assertTrue(run.err().contains("budget of 1000 instructions"), run.err());
  }

  @Test
  void severalTargetsAtOnce() {
    Cli run = Cli.run("validate", guest, "--target", "native", "--target", "kvm", "--json");
    assertEquals(0, run.status(), run.all());
    assertTrue(run.out().contains("\"validations\""), run.out());
  }

  @Test
  void anUnsupportedMachineIsSaidBeforehand() {
    Cli run = Cli.run("validate", guest, "--target", "vmware");
    assertEquals(2, run.status(), run.all());
    assertTrue(run.err().contains("the machine does not offer vmware yet"), run.err());
  }
}
