package org.hypergraft.vmm.gdb;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Random;
import org.hypergraft.vmm.machine.GuestControl;
import org.hypergraft.vmm.machine.Machine;
import org.hypergraft.vmm.machine.MachineConfig;
import org.hypergraft.vmm.machine.Observer;
import org.hypergraft.vmm.machine.Outcome;
import org.hypergraft.vmm.machine.RunReport;
import org.hypergraft.vmm.machine.SmallGuest;
import org.hypergraft.vmm.machine.Tiers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The stub on guests of a few instructions. */
class GdbStubTest {
  private static final int RAX = 0;
  private static final int RIP = 16;
  private static final int EFLAGS = 17;

  /** Instructions of {@link #guest}: mov esp; mov eax; store; add from memory; add to memory. */
  private static final int LOAD = SmallGuest.LOAD;

  private static MachineConfig.Builder guest() {
    SmallGuest guest =
        new SmallGuest()
            .code("bc 00 00 20 00")
            .code("b8 01 00 00 00")
            .code("a3 00 10 20 00")
            .code("03 05 00 10 20 00")
            .code("01 05 00 10 20 00")
            .code("90")
            .powerOff();
    return MachineConfig.of(guest.image()).memory(32 << 20);
  }

  @ParameterizedTest
  @EnumSource(Tiers.class)
  void stepsBreaksAndSeesRegistersAndMemory(Tiers tiers) throws Exception {
    try (DebuggedRun run = new DebuggedRun(guest().tiers(tiers), true);
        RspClient gdb = new RspClient(run.address())) {
      assertTrue(gdb.ask("qSupported:swbreak+").contains("PacketSize=4000"));
      gdb.withoutAcknowledgements();
      assertEquals("T05thread:1;", gdb.ask("?"));
      assertEquals(LOAD, gdb.register(RIP));
      assertEquals("T05thread:1;", gdb.ask("s"));
      assertEquals("T05thread:1;", gdb.ask("vCont;s:1;c"));
      assertEquals(LOAD + 10, gdb.register(RIP));
      assertEquals(1, gdb.register(RAX));
      assertEquals("OK", gdb.ask("P0=0500000000000000"));
      assertEquals("OK", gdb.ask("Z0,100015,1"));
      assertEquals("0305", gdb.ask("m10000f,2"), "a breakpoint is not in memory");
      assertEquals("T05swbreak:;thread:1;", gdb.ask("c"));
      assertEquals(LOAD + 21, gdb.register(RIP));
      assertEquals(10, gdb.register(RAX));
      assertEquals("05000000", gdb.ask("m201000,4"));
      assertEquals("OK", gdb.ask("M201000,2:3412"));
      assertEquals("OK", gdb.ask("X201002,1:}]"), "an escaped }");
      assertEquals("34127d00", gdb.ask("m201000,4"));
      assertEquals("OK", gdb.ask("z0,100015,1"));
      assertEquals("OK", gdb.ask("Z1,10001b,1"));
      assertEquals("T05hwbreak:;thread:1;", gdb.ask("c"));
      assertEquals("3e127d00", gdb.ask("m201000,4"));
      assertEquals("W00", gdb.ask("c"));
      RunReport report = run.report();
      assertEquals(Outcome.POWER_OFF, report.outcome());
      assertEquals(9, report.retired());
    }
  }

  @ParameterizedTest
  @EnumSource(Tiers.class)
  void watchpointsStopAfterTheAccess(Tiers tiers) throws Exception {
    try (DebuggedRun run = new DebuggedRun(guest().tiers(tiers), true);
        RspClient gdb = new RspClient(run.address())) {
      gdb.withoutAcknowledgements();
      assertEquals("OK", gdb.ask("Z2,201000,4"));
      assertEquals("T05watch:201000;thread:1;", gdb.ask("c"));
      assertEquals(LOAD + 15, gdb.register(RIP));
      assertEquals("T05watch:201000;thread:1;", gdb.ask("c"), "not the read in between");
      assertEquals(LOAD + 27, gdb.register(RIP));
      assertEquals("OK", gdb.ask("z2,201000,4"));
      assertEquals("OK", gdb.ask("P10=0f00100000000000"), "back to the read");
      assertEquals("OK", gdb.ask("Z3,201002,1"));
      assertEquals("T05rwatch:201002;thread:1;", gdb.ask("c"));
      assertEquals(LOAD + 21, gdb.register(RIP));
      assertEquals("OK", gdb.ask("z3,201002,1"));
      assertEquals("OK", gdb.ask("Z4,201003,1"));
      assertEquals("T05awatch:201003;thread:1;", gdb.ask("c"));
      assertEquals(LOAD + 27, gdb.register(RIP));
      assertEquals("OK", gdb.ask("D"));
      assertEquals(11, run.report().retired(), "nine, and two again");
    }
  }

  @Test
  void registersAreDescribedAndAllOfThemTravel() throws Exception {
    try (DebuggedRun run = new DebuggedRun(guest().cpuModel("x86-64-v3"), true);
        RspClient gdb = new RspClient(run.address())) {
      gdb.withoutAcknowledgements();
      StringBuilder xml = new StringBuilder();
      String part;
      do {
        part = gdb.ask("qXfer:features:read:target.xml:%x,100".formatted(xml.length()));
        xml.append(part.substring(1));
      } while (part.charAt(0) == 'm');
      assertEquals('l', part.charAt(0));
      int bits = 0;
      int count = 0;
      for (String reg : xml.toString().split("<reg ", -1)) {
        if (reg.startsWith("name=")) {
          assertTrue(reg.contains("regnum=\"" + count++ + "\""), reg);
          bits += Integer.parseInt(reg.replaceAll("(?s).*bitsize=\"(\\d+)\".*", "$1"));
        }
      }
      assertTrue(xml.toString().contains("org.gnu.gdb.i386.avx"), xml.toString());
      String all = gdb.ask("g");
      assertEquals(bits / 4, all.length());
      String changed = "efbeadde00000000" + all.substring(16);
      assertEquals("OK", gdb.ask("G" + changed));
      assertEquals(changed, gdb.ask("g"));
      assertEquals("E16", gdb.ask("G" + changed + "00"));
      assertEquals("E03", gdb.ask("p7fff"));
      assertEquals("OK", gdb.ask("P11=ffffffff"), "what decides the mode is kept");
      assertEquals(0x214fd7, gdb.register(EFLAGS));
      assertEquals("OK", gdb.ask("vKill;1"));
      assertEquals(Outcome.STOPPED, run.report().outcome());
    }
  }

  @Test
  void threadsAreTheProcessors() throws Exception {
    try (DebuggedRun run = new DebuggedRun(guest().cpus(3), true);
        RspClient gdb = new RspClient(run.address())) {
      gdb.withoutAcknowledgements();
      assertEquals("m1,2,3", gdb.ask("qfThreadInfo"));
      assertEquals("l", gdb.ask("qsThreadInfo"));
      assertEquals("OK", gdb.ask("T3"));
      assertEquals("E03", gdb.ask("T4"));
      assertEquals("OK", gdb.ask("Hg2"));
      assertEquals(0xfff0, gdb.register(RIP), "waits as after reset");
      assertEquals(RspClient.hex("CPU 1 (not started)"), gdb.ask("qThreadExtraInfo,2"));
      assertTrue(gdb.monitor("info").contains("cpu 2 at 0xfff0, not started"));
      assertEquals("0\n", gdb.monitor("count"));
      assertTrue(gdb.monitor("regs").contains("rip 000000000000fff0"));
      assertTrue(gdb.monitor("xp 0x100000 5").startsWith("0x100000: bc 00 00 20 00"));
      assertTrue(gdb.monitor("what").startsWith("no command 'what'"));
      assertEquals("OK", gdb.ask("Qqemu.PhyMemMode:1"));
      assertEquals("bc", gdb.ask("m100000,1"));
      assertEquals("E0e", gdb.ask("mffffffffff,1"));
      assertEquals("W00", gdb.ask("c"));
    }
  }

  @Test
  void aRunningGuestCanBeInterruptedAndAttachedTo() throws Exception {
    SmallGuest spins = new SmallGuest().code("90 eb fd");
    MachineConfig.Builder config = MachineConfig.of(spins.image()).memory(32 << 20);
    try (DebuggedRun run = new DebuggedRun(config, false)) {
      try (RspClient gdb = new RspClient(run.address())) {
        gdb.withoutAcknowledgements();
        assertEquals("T05thread:1;", gdb.ask("?"));
        gdb.raw(RspClient.framed("c"));
        gdb.raw("\u0003");
        assertEquals("T02thread:1;", gdb.receive());
        gdb.raw(RspClient.framed("c"));
      } // it goes on when the debugger has gone
      try (RspClient gdb = new RspClient(run.address())) {
        assertEquals("T05thread:1;", gdb.ask("?"));
        assertTrue(gdb.monitor("count").length() > 6);
        gdb.raw(RspClient.framed("k"));
      }
      assertEquals(Outcome.STOPPED, run.report().outcome());
    }
  }

  @Test
  void aDeadGuestCanBeLookedAt() throws Exception {
    SmallGuest dies = new SmallGuest().code("90 0f 0b");
    MachineConfig.Builder config = MachineConfig.of(dies.image()).memory(32 << 20);
    try (DebuggedRun run = new DebuggedRun(config, true);
        RspClient gdb = new RspClient(run.address())) {
      assertEquals("T06thread:1;", gdb.ask("c"));
      assertEquals(SmallGuest.LOAD + 1, gdb.register(RIP));
      assertEquals("W01", gdb.ask("c"));
      assertEquals(Outcome.TRIPLE_FAULT, run.report().outcome());
    }
  }

  @Test
  void garbageIsAnsweredAndHarmless() {
    Random random = new Random(20240607);
    String[] seeds = {
      "qSupported:a+",
      "g",
      "G00",
      "p10",
      "P10=00",
      "m100000,10",
      "M100000,1:00",
      "X100000,1:a",
      "Z0,100000,1",
      "Z2,100000,4",
      "z2,100000,4",
      "Hg1",
      "Hc-1",
      "T1",
      "vCont?",
      "vCont;s:1;c",
      "vCont;r100000,100010:1",
      "vFile:open:2f6b65726e656c2d73796d626f6c73,0,0",
      "vFile:pread:3,100,0",
      "vFile:fstat:3",
      "qXfer:features:read:target.xml:0,100",
      "qRcmd,786d",
      "qThreadExtraInfo,1",
      "QStartNoAckMode",
      "?",
      "c100000",
      "s",
      "C05;1",
      "D",
      "k"
    };
    StringBuilder input = new StringBuilder();
    for (int i = 0; i < 20_000; i++) {
      StringBuilder packet = new StringBuilder(seeds[random.nextInt(seeds.length)]);
      for (int n = random.nextInt(4); n > 0 && packet.length() > 0; n--) {
        int at = random.nextInt(packet.length());
        switch (random.nextInt(4)) {
          case 0 -> packet.setCharAt(at, (char) random.nextInt(256));
          case 1 -> packet.deleteCharAt(at);
          case 2 -> packet.insert(at, (char) ('0' + random.nextInt(10)));
          default -> packet.insert(at, "ffffffffffffffff");
        }
      }
      input.append(RspClient.framed(packet.toString()));
    }
    byte[] bytes = input.toString().getBytes(StandardCharsets.ISO_8859_1);
    ByteArrayOutputStream replies = new ByteArrayOutputStream();
    PacketStream stream = new PacketStream(new ByteArrayInputStream(bytes), replies);
    int[] resumed = new int[1];
    Observer fuzz =
        new Observer() {
          @Override
          public boolean begin(GuestControl guest) {
            Session session = new Session(stream, guest);
            try {
              while (stream.pending()) {
                session.converse();
                resumed[0]++;
              }
            } catch (IOException e) {
              throw new AssertionError(e);
            }
            return false;
          }
        };
    try (Machine machine = new Machine(guest().observer(fuzz).build())) {
      assertEquals(Outcome.STOPPED, machine.run().outcome());
    }
    assertTrue(resumed[0] > 1000, "some packets resumed");
    assertTrue(replies.size() > 100_000, "the others were answered");
  }

  @Test
  void symbolsComeAsAnElfFile() throws Exception {
    try (DebuggedRun run = new DebuggedRun(guest(), true);
        RspClient gdb = new RspClient(run.address())) {
      assertEquals("l" + HostFile.NAME, gdb.ask("qXfer:exec-file:read::0,fff"));
      assertEquals("F0", gdb.ask("vFile:setfs:0"));
      assertEquals("F-1,2", gdb.ask("vFile:open:" + RspClient.hex("/etc/passwd") + ",0,0"));
      assertEquals("F-1,9", gdb.ask("vFile:pread:3,10,0"), "not open yet");
      assertEquals("F3", gdb.ask("vFile:open:" + RspClient.hex(HostFile.NAME) + ",0,0"));
      String head = gdb.ask("vFile:pread:3,4,0");
      assertArrayEquals(
          new byte[] {0x7f, 'E', 'L', 'F'}, head.substring(head.indexOf(';') + 1).getBytes(UTF_8));
      String stat = gdb.ask("vFile:fstat:3");
      byte[] fields = stat.substring(stat.indexOf(';') + 1).getBytes(StandardCharsets.ISO_8859_1);
      assertEquals("00008124", HexFormat.of().formatHex(fields, 8, 12), "a readable file");
      assertEquals("F0;", gdb.ask("vFile:pread:3,10,7fffffff"));
      assertEquals("F0", gdb.ask("vFile:close:3"));
      gdb.raw(RspClient.framed("k"));
      run.report();
    }
  }
}
