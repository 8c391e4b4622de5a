package org.hypergraft.vmm.cpu.interpret;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.semantics.Alu;
import org.junit.jupiter.api.Test;

/** Filled templates do what their target says, with the operand access asked for. */
class OpFactoryTest {
  private static final Target ADD8 = Target.of(Alu.class, "add8");

  @Test
  void equalFormsShareAClassAndNotAnObject() {
    Op a = OpFactory.make(Template.RR, ADD8, Access.put(1));
    Op b = OpFactory.make(Template.RR, ADD8, Access.put(1));
    assertNotSame(a, b);
    assertSame(a.getClass(), b.getClass());
    assertNotSame(
        a.getClass(), OpFactory.make(Template.RR, ADD8, Access.put(1) | Access.S_HIGH).getClass());
  }

  @Test
  void highByteRegistersAreReadAndWrittenInPlace() {
    int access = Access.S_HIGH | Access.T_HIGH | Access.HIGH8 << Access.PUT_SHIFT;
    Op op = OpFactory.make(Template.RR, ADD8, access);
    op.d = Cpu.RBX;
    op.s = Cpu.RBX;
    op.t = Cpu.RCX;
    Cpu c = new Cpu(0);
    c.r[Cpu.RBX] = 0x1122_3344_5566_7788L;
    c.r[Cpu.RCX] = 0x0000_9a00L;
    op.exec(c);
    assertEquals(0x1122_3344_5566_1188L, c.r[Cpu.RBX]);
    assertEquals(Flags.CF, Flags.status(c) & Flags.CF);
  }

  @Test
  void narrowDestinationsKeepTheRestOfTheRegister() {
    Cpu c = new Cpu(0);
    long[] expected = {0x1122_3344_5566_7799L, 0x1122_3344_5566_0099L, 0x99, 0x99};
    for (int i = 0; i < 4; i++) {
      c.r[Cpu.RAX] = 0x1122_3344_5566_7788L;
      c.r[Cpu.RDX] = 0x99;
      Op op = OpFactory.make(Template.MOVE, Target.NONE, Access.put(1 << i));
      op.d = Cpu.RAX;
      op.s = Cpu.RDX;
      op.exec(c);
      assertEquals(expected[i], c.r[Cpu.RAX]);
    }
  }

  @Test
  void everyTemplateCanBeFilled() {
    int before = OpFactory.classes();
    for (Template t : Template.values()) {
      OpFactory.make(t, Target.of(OpFactoryTest.class, "nowhere" + t), 0);
    }
    assertEquals(before + Template.values().length, OpFactory.classes());
  }
}
